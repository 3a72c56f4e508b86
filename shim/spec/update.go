package spec

import "github.com/opencontainers/runtime-spec/specs-go"

// Update plans a change of limits: now with what r and the annotations a name in its place. A processor limit takes the
// place of whichever was there, as only one of them can be. Its errors are those of [Host.Job].
func (j *Job) Update(now Limits, r *specs.WindowsResources, a map[string]string) (Limits, error) {
	if r == nil {
		r = &specs.WindowsResources{}
	}
	change := Job{host: j.host}
	if err := change.planLimits(&specs.Spec{Windows: &specs.Windows{Resources: r}, Annotations: a}); err != nil {
		return now, err
	}
	next := change.Limits
	if next.CPURate == 0 && next.CPUWeight == 0 {
		next.CPURate, next.CPUWeight = now.CPURate, now.CPUWeight
	}
	if next.MemoryBytes == 0 {
		next.MemoryBytes = now.MemoryBytes
	}
	if next.Affinity == nil {
		next.Affinity = now.Affinity
	}
	return next, nil
}
