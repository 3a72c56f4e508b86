package plan

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"strconv"
	"strings"

	"github.com/Microsoft/hcsshim/pkg/annotations"
	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/jobobject"
)

// minMemory is the smallest memory limit of a container, in bytes. Windows containers have been observed to hang below
// it.
const minMemory = 8 << 20

// Requested has the limits that were requested of a container so far. It is zero before the container is made.
//
// Containerd's CRI merges each update into the resources of the specification and sends all of them. So a field that has
// the value of the request before does not change the limit.
type Requested struct {
	named     map[string]uint64 // the values of the last request, by field
	processor processorLimit
	memory    value // in bytes
	affinity  []jobobject.GroupAffinity
}

// value is the value of a field of the specification, or of an annotation. Zero is no limit.
type value struct {
	field string
	n     uint64
}

// processorLimit is the processor limit in force: the count, the maximum or the shares.
type processorLimit struct {
	kind processorKind
	value
}

type processorKind uint8

const (
	byCount processorKind = iota + 1
	byMaximum
	byShares
)

// request is one specification or update, merged into the requests before it.
type request struct {
	next Requested
	// The limits that the request names, changed or not.
	hasProcessor, hasMemory, hasAffinity bool
	// bps and iops are the storage limits that change.
	bps, iops value
}

// read merges resources and annotations into the requests before. A limit out of its range is an error, or with best
// effort the nearest value.
func (u *Unsupported) read(h Machine, before Requested, r *specs.WindowsResources, a map[string]string) (*request, error) {
	if r == nil {
		r = &specs.WindowsResources{}
	}
	q := &request{next: before}
	q.next.named = maps.Clone(before.named)
	if q.next.named == nil {
		q.next.named = map[string]uint64{}
	}
	err1 := u.readProcessor(q, before, r, a)
	err2 := u.readMemory(q, before, r, a)
	err3 := u.readStorage(q, before, r, a)
	list, err4 := u.affinity(h, *r)
	if len(list) > 0 {
		q.next.affinity, q.hasAffinity = list, true
	}
	return q, cmp.Or(err1, err2, err3, err4)
}

// readProcessor takes the count, the maximum or the shares. More than one of them is an error unless all but one have the
// values of the request before.
func (u *Unsupported) readProcessor(q *request, before Requested, r *specs.WindowsResources, a map[string]string) error {
	var cpu specs.WindowsCPUResources
	if r.CPU != nil {
		cpu = *r.CPU
	}
	count, err1 := q.pick(a, annotations.ContainerProcessorCount, "windows.resources.cpu.count", cpu.Count)
	maximum, err2 := q.pick(a, annotations.ContainerProcessorLimit, "windows.resources.cpu.maximum", widen(cpu.Maximum))
	shares, err3 := q.pick(a, annotations.ContainerProcessorWeight, "windows.resources.cpu.shares", widen(cpu.Shares))
	if err := cmp.Or(err1, err2, err3); err != nil {
		return err
	}
	var named, changed []processorLimit
	for _, p := range []processorLimit{{byCount, count}, {byMaximum, maximum}, {byShares, shares}} {
		if p.n == 0 {
			continue
		}
		named = append(named, p)
		if before.named[p.field] != p.n {
			changed = append(changed, p)
		}
	}
	if q.hasProcessor = len(named) > 0; q.hasProcessor {
		for _, p := range []value{count, maximum, shares} {
			if p.n == 0 { // it is not requested any more, so naming it again is a change
				delete(q.next.named, p.field)
			}
		}
	}
	switch {
	case len(changed) > 1:
		return excludeEachOther(changed)
	case len(changed) == 1:
		q.next.processor = changed[0]
	case len(named) == 1 && named[0].kind != before.processor.kind: // the other is not requested any more
		q.next.processor = named[0]
	default:
		return nil
	}
	return u.upToWhole(&q.next.processor)
}

func excludeEachOther(limits []processorLimit) error {
	var fields []string
	for _, p := range limits {
		fields = append(fields, p.field)
	}
	return fmt.Errorf("%s exclude each other; keep one: %w", strings.Join(fields, " and "), errdefs.ErrInvalidArgument)
}

// upToWhole checks the range of maximum and shares. It is that of the kernel and of the Host Compute Service. Their units
// are those of the job object as well.
func (u *Unsupported) upToWhole(p *processorLimit) error {
	if p.kind == byCount || p.n <= jobobject.AllProcessors {
		return nil
	}
	return u.outOfRange(&p.value, fmt.Sprintf("use 1 to %d", jobobject.AllProcessors), jobobject.AllProcessors)
}

// readMemory takes the field, in bytes, or the annotation, in megabytes. The annotation takes precedence.
func (u *Unsupported) readMemory(q *request, before Requested, r *specs.WindowsResources, a map[string]string) error {
	var limit *uint64
	if r.Memory != nil {
		limit = r.Memory.Limit
	}
	v, err := q.pick(a, annotations.ContainerMemorySizeInMB, "windows.resources.memory.limit", limit)
	if err != nil || v.n == 0 {
		return err
	}
	q.hasMemory = true
	if before.named[v.field] == v.n {
		return nil
	}
	unit := uint64(1)
	if _, annotated := a[annotations.ContainerMemorySizeInMB]; annotated {
		unit = 1 << 20
	}
	switch least := minMemory / unit; {
	case v.n > math.MaxInt64/unit:
		return fmt.Errorf("%s %d is too large: %w", v.field, v.n, errdefs.ErrInvalidArgument)
	case v.n < least:
		err = u.outOfRange(&v, fmt.Sprintf("use at least %d: containers with less memory are known to hang", least), least)
	}
	v.n *= unit
	q.next.memory = v
	return err
}

func (u *Unsupported) readStorage(q *request, before Requested, r *specs.WindowsResources, a map[string]string) error {
	var st specs.WindowsStorageResources
	if r.Storage != nil {
		st = *r.Storage
	}
	bps, err1 := q.pick(a, annotations.ContainerStorageQoSBandwidthMaximum, "windows.resources.storage.bps", st.Bps)
	iops, err2 := q.pick(a, annotations.ContainerStorageQoSIopsMaximum, "windows.resources.storage.iops", st.Iops)
	size, err3 := q.pick(nil, "", "windows.resources.storage.sandboxSize", st.SandboxSize)
	if before.named[bps.field] != bps.n {
		q.bps = bps
	}
	if before.named[iops.field] != iops.n {
		q.iops = iops
	}
	if size.n > 0 && before.named[size.field] != size.n {
		u.warn(size.field, "the snapshotter sets the size of the writable layer, by the label "+
			"containerd.io/snapshot/io.microsoft.container.storage.rootfs.size-gb")
	}
	return cmp.Or(err1, err2, err3)
}

// unsupportedStorage returns an error for storage limits that change.
func (u *Unsupported) unsupportedStorage(q *request, why string) error {
	for _, v := range []value{q.bps, q.iops} {
		if v.n == 0 {
			continue
		}
		if err := u.unsupported(v.field, why); err != nil {
			return err
		}
	}
	return nil
}

// pick takes the annotation, or else the field, and records both as named.
func (q *request) pick(a map[string]string, annotation, field string, n *uint64) (value, error) {
	if n != nil {
		q.next.named[field] = *n
	}
	if text, has := a[annotation]; has {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return value{}, fmt.Errorf("annotation %s: it is not a whole number: %w", annotation, errdefs.ErrInvalidArgument)
		}
		q.next.named["annotation "+annotation] = n
		return value{"annotation " + annotation, n}, nil
	}
	if n == nil {
		return value{field: field}, nil
	}
	return value{field, *n}, nil
}

func widen(v *uint16) *uint64 {
	if v == nil {
		return nil
	}
	w := uint64(*v)
	return &w
}
