package spec

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/Microsoft/hcsshim/pkg/annotations"
	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Limits are in the units of a job object. A zero is no limit.
type Limits struct {
	// CPURate is the hard cap in hundredths of a percent of the whole machine, 1 to 10000.
	// https://learn.microsoft.com/en-us/windows/win32/api/winnt/ns-winnt-jobobject_cpu_rate_control_information
	CPURate uint32
	// CPUWeight is the share against other jobs, 1 to 9. Not both CPURate and CPUWeight are set.
	CPUWeight uint32
	// MemoryBytes is the memory that the processes may commit together. Beyond it allocations fail.
	MemoryBytes uint64
	// Affinity names the processors to run on, at most once per group.
	Affinity []Affinity
}

// Affinity is a set of processors of one processor group.
type Affinity struct {
	Mask  uint64
	Group uint16
}

// whole is the processor time of the machine, as the spec and the job object count it.
const whole = 10000

// wish is one limit as the spec or an annotation asks for it. Zero is none.
type wish struct {
	field string
	value uint64
}

func (j *Job) planLimits(s *specs.Spec) error {
	var r specs.WindowsResources
	if s.Windows.Resources != nil {
		r = *s.Windows.Resources
	}
	for _, plan := range []func(specs.WindowsResources, map[string]string) error{j.planCPU, j.planAffinity, j.planMemory, j.planStorage} {
		if err := plan(r, s.Annotations); err != nil {
			return err
		}
	}
	return nil
}

// pickCPU takes one of count, maximum and shares; together they contradict each other.
func pickCPU(r specs.WindowsResources, a map[string]string) (count, maximum, shares wish, err error) {
	var c specs.WindowsCPUResources
	if r.CPU != nil {
		c = *r.CPU
	}
	count, err1 := pick(a, annotations.ContainerProcessorCount, "windows.resources.cpu.count", c.Count)
	maximum, err2 := pick(a, annotations.ContainerProcessorLimit, "windows.resources.cpu.maximum", widen(c.Maximum))
	shares, err3 := pick(a, annotations.ContainerProcessorWeight, "windows.resources.cpu.shares", widen(c.Shares))
	err = first(err1, err2, err3, atMostOne(count, maximum, shares), upToWhole(maximum), upToWhole(shares))
	return count, maximum, shares, err
}

func (j *Job) planCPU(r specs.WindowsResources, a map[string]string) error {
	count, maximum, shares, err := pickCPU(r, a)
	if err != nil {
		return err
	}
	switch {
	case count.value > 0:
		j.Limits.CPURate = rateOf(count.value, j.host.Processors)
	case maximum.value > 0:
		j.Limits.CPURate = uint32(maximum.value)
	case shares.value > 0:
		j.Limits.CPUWeight = uint32(1 + 8*shares.value/whole)
	}
	return nil
}

// rateOf is the share of the machine that count processors are: all of it at most, and never nothing.
func rateOf(count uint64, processors int) uint32 {
	n := uint64(processors)
	return uint32(max(1, min(count, n)*whole/n))
}

// severalGroupsBuild is Windows Server 2022, the first whose containers may have processors of several groups, or of
// another than group 0.
const severalGroupsBuild = 20348

func (j *Job) planAffinity(r specs.WindowsResources, _ map[string]string) (err error) {
	j.Limits.Affinity, err = j.affinity(j.host, r)
	return err
}

// affinity checks the processors, and leaves them out where this Windows cannot bind to them and best effort is enough.
func (c *Compromise) affinity(h Host, r specs.WindowsResources) ([]Affinity, error) {
	list, err := readAffinity(r)
	if err != nil || h.Build >= severalGroupsBuild || len(list) == 0 || len(list) == 1 && list[0].Group == 0 {
		return list, err
	}
	return nil, c.lacks("windows.resources.cpu.affinity", fmt.Sprintf("Windows build %d binds a container to processors of group 0 alone; "+
		"name one mask of group 0, or use build %d or later", h.Build, severalGroupsBuild))
}

func readAffinity(r specs.WindowsResources) (list []Affinity, err error) {
	if r.CPU == nil {
		return nil, nil
	}
	seen := map[uint32]bool{}
	for i, a := range r.CPU.Affinity {
		field := fmt.Sprintf("windows.resources.cpu.affinity[%d]", i)
		switch {
		case a.Mask == 0:
			return nil, fmt.Errorf("%s.mask is zero: name at least one processor: %w", field, errdefs.ErrInvalidArgument)
		case a.Group > math.MaxUint16:
			return nil, fmt.Errorf("%s.group %d: use 0 to %d: %w", field, a.Group, math.MaxUint16, errdefs.ErrInvalidArgument)
		case seen[a.Group]:
			return nil, fmt.Errorf("%s.group %d is named twice: join the masks: %w", field, a.Group, errdefs.ErrInvalidArgument)
		}
		seen[a.Group] = true
		list = append(list, Affinity{Mask: a.Mask, Group: uint16(a.Group)})
	}
	return list, nil
}

// planMemory takes the bytes as they are. An annotation counts in megabytes and goes first.
func (j *Job) planMemory(r specs.WindowsResources, a map[string]string) error {
	if _, has := a[annotations.ContainerMemorySizeInMB]; has {
		w, err := pick(a, annotations.ContainerMemorySizeInMB, "", nil)
		if err != nil {
			return err
		}
		if w.value > math.MaxUint64>>20 {
			return fmt.Errorf("%s %d is too large: %w", w.field, w.value, errdefs.ErrInvalidArgument)
		}
		j.Limits.MemoryBytes = w.value << 20
		return nil
	}
	if r.Memory != nil && r.Memory.Limit != nil {
		j.Limits.MemoryBytes = *r.Memory.Limit
	}
	return nil
}

func pickStorage(r specs.WindowsResources, a map[string]string) (bps, iops, size wish, err error) {
	var st specs.WindowsStorageResources
	if r.Storage != nil {
		st = *r.Storage
	}
	bps, err1 := pick(a, annotations.ContainerStorageQoSBandwidthMaximum, "windows.resources.storage.bps", st.Bps)
	iops, err2 := pick(a, annotations.ContainerStorageQoSIopsMaximum, "windows.resources.storage.iops", st.Iops)
	size, err3 := pick(nil, "", "windows.resources.storage.sandboxSize", st.SandboxSize)
	return bps, iops, size, first(err1, err2, err3)
}

// planStorage refuses what a job object cannot limit.
func (j *Job) planStorage(r specs.WindowsResources, a map[string]string) error {
	bps, iops, size, err := pickStorage(r, a)
	if err != nil {
		return err
	}
	for _, w := range []wish{bps, iops, size} {
		if w.value == 0 {
			continue
		}
		if err := j.lacks(w.field, "a job container cannot limit storage"); err != nil {
			return err
		}
	}
	return nil
}

// pick takes the annotation, or else the spec's own field.
func pick(a map[string]string, annotation, field string, value *uint64) (wish, error) {
	if text, has := a[annotation]; has {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return wish{}, fmt.Errorf("annotation %s: it is not a whole number: %w", annotation, errdefs.ErrInvalidArgument)
		}
		return wish{"annotation " + annotation, n}, nil
	}
	if value == nil {
		return wish{field: field}, nil
	}
	return wish{field, *value}, nil
}

func atMostOne(wishes ...wish) error {
	var set []string
	for _, w := range wishes {
		if w.value > 0 {
			set = append(set, w.field)
		}
	}
	if len(set) > 1 {
		return fmt.Errorf("%s exclude each other: keep one: %w", strings.Join(set, " and "), errdefs.ErrInvalidArgument)
	}
	return nil
}

func upToWhole(w wish) error {
	if w.value > whole {
		return fmt.Errorf("%s %d: use 1 to %d: %w", w.field, w.value, whole, errdefs.ErrInvalidArgument)
	}
	return nil
}

// first returns the error that came first.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func widen(v *uint16) *uint64 {
	if v == nil {
		return nil
	}
	w := uint64(*v)
	return &w
}
