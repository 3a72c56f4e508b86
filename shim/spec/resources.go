package spec

import (
	"fmt"
	"math"

	"github.com/Microsoft/hcsshim/pkg/annotations"
	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/schema"
)

func (v *Server) planResources(s *specs.Spec) error {
	var r specs.WindowsResources
	if s.Windows.Resources != nil {
		r = *s.Windows.Resources
	}
	c := v.Document.Container
	var err error
	if c.Processor, err = v.processor(r, s.Annotations); err != nil {
		return err
	}
	if c.Memory, err = memory(r, s.Annotations); err != nil {
		return err
	}
	if v.Affinity, err = v.affinity(v.host, r); err != nil {
		return err
	}
	return v.planStorage(r, s.Annotations)
}

// processor is nil for no limit. More processors than there are mean all of them, as for a job container.
func (v *Server) processor(r specs.WindowsResources, a map[string]string) (*schema.Processor, error) {
	count, maximum, shares, err := pickCPU(r, a)
	if err != nil {
		return nil, err
	}
	p := schema.Processor{
		Count: uint32(min(count.value, uint64(v.host.Processors))), Maximum: int64(maximum.value), Weight: int64(shares.value),
	}
	if p.Count == 0 && p.Maximum == 0 && p.Weight == 0 {
		return nil, nil
	}
	return &p, nil
}

// maxMegabytes keeps the size in bytes within what the service counts with.
const maxMegabytes = math.MaxInt64 >> 20

// memory is nil for no limit. The service counts in megabytes; a part of one is rounded up, so that the container
// gets no less than it was promised and a small limit does not turn into none.
func memory(r specs.WindowsResources, a map[string]string) (*schema.Memory, error) {
	var bytes *uint64
	if r.Memory != nil {
		bytes = r.Memory.Limit
	}
	w, err := pick(a, annotations.ContainerMemorySizeInMB, "windows.resources.memory.limit", bytes)
	if err != nil || w.value == 0 {
		return nil, err
	}
	if _, annotated := a[annotations.ContainerMemorySizeInMB]; !annotated {
		w.value = w.value>>20 + min(1, w.value&(1<<20-1))
	}
	if w.value > maxMegabytes {
		return nil, fmt.Errorf("%s is too large: %w", w.field, errdefs.ErrInvalidArgument)
	}
	return &schema.Memory{SizeInMB: w.value}, nil
}

func (v *Server) planStorage(r specs.WindowsResources, a map[string]string) error {
	bps, iops, size, err := pickStorage(r, a)
	if err != nil {
		return err
	}
	if size.value > 0 {
		if err := v.lacks(size.field, "the size of the layer to write to is the snapshotter's to set, by the label "+
			"containerd.io/snapshot/io.microsoft.container.storage.rootfs.size-gb"); err != nil {
			return err
		}
	}
	for _, w := range []wish{bps, iops} {
		if w.value > math.MaxInt32 {
			return fmt.Errorf("%s %d: use 1 to %d: %w", w.field, w.value, math.MaxInt32, errdefs.ErrInvalidArgument)
		}
	}
	v.Document.Container.Storage = &schema.Storage{}
	if bps.value > 0 || iops.value > 0 {
		v.Document.Container.Storage.QoS = &schema.StorageQoS{BandwidthMaximum: bps.value, IopsMaximum: iops.value}
	}
	return nil
}

// Update is what to ask of the running container to give it these resources; those that are not named stay as they
// are. What cannot be changed while it runs is [errdefs.ErrNotImplemented] and names the field.
func (v *Server) Update(r *specs.WindowsResources, a map[string]string) ([]*schema.ModifySettingRequest, error) {
	if r == nil {
		r = &specs.WindowsResources{}
	}
	p, err := v.processor(*r, a)
	if err != nil {
		return nil, err
	}
	m, err := memory(*r, a)
	if err != nil {
		return nil, err
	}
	bps, iops, size, err := pickStorage(*r, a)
	if err != nil {
		return nil, err
	}
	for _, w := range []wish{bps, iops, size} {
		if w.value > 0 {
			return nil, fmt.Errorf("%s: a running Windows Server container keeps its storage limits: %w", w.field, errdefs.ErrNotImplemented)
		}
	}
	if r.CPU != nil && len(r.CPU.Affinity) > 0 {
		return nil, fmt.Errorf("windows.resources.cpu.affinity: a running container keeps its processors: %w", errdefs.ErrNotImplemented)
	}
	return requests(p, m)
}

func requests(p *schema.Processor, m *schema.Memory) (list []*schema.ModifySettingRequest, err error) {
	add := func(path string, settings any) {
		r, failed := schema.NewModifySetting(schema.RequestUpdate, path, settings)
		list, err = append(list, r), first(err, failed)
	}
	if p != nil {
		add(schema.PathProcessor, p)
	}
	if m != nil {
		add(schema.PathMemory, m.SizeInMB)
	}
	return list, err
}
