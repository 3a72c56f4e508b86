package plan

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/Microsoft/hcsshim/pkg/annotations"
	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// minMemory is the least limit on the memory of a container. Windows containers are known to hang below it.
const minMemory = 8 << 20

// Requested is what was requested of a container so far, and which of it is in force. It is zero before the container is
// made.
//
// Containerd's CRI lays each update over the resources of the container's specification and sends them all. So a field
// that is named with the value that it had before asks for no change.
type Requested struct {
	named     map[string]uint64 // by the last request, by field
	processor processorLimit
	memory    wish // in bytes
	affinity  []Affinity
}

// wish is one limit as the spec or an annotation asks for it. Zero is none.
type wish struct {
	field string
	value uint64
}

// processorLimit is the one of count, maximum and shares that holds.
type processorLimit struct {
	kind processorKind
	wish
}

type processorKind uint8

const (
	byCount processorKind = iota + 1
	byMaximum
	byShares
)

// request is one specification or update, laid over what was asked before.
type request struct {
	next Requested
	// These are named by the request, with a change or without one.
	hasProcessor, hasMemory, hasAffinity bool
	// bps and iops are what is asked of the storage, where that is a change.
	bps, iops wish
}

// read lays resources and annotations over what was asked before. Limits that cannot be are an error or, with best
// effort, changed to the nearest that can.
func (c *Compromise) read(h Machine, before Requested, r *specs.WindowsResources, a map[string]string) (*request, error) {
	if r == nil {
		r = &specs.WindowsResources{}
	}
	q := &request{next: before}
	q.next.named = maps.Clone(before.named)
	if q.next.named == nil {
		q.next.named = map[string]uint64{}
	}
	err1 := c.readProcessor(q, before, r, a)
	err2 := c.readMemory(q, before, r, a)
	err3 := c.readStorage(q, before, r, a)
	list, err4 := c.affinity(h, *r)
	if len(list) > 0 {
		q.next.affinity, q.hasAffinity = list, true
	}
	return q, first(err1, err2, err3, err4)
}

// readProcessor takes one of count, maximum and shares; together they contradict each other, but for those that are
// named as they were before.
func (c *Compromise) readProcessor(q *request, before Requested, r *specs.WindowsResources, a map[string]string) error {
	var cpu specs.WindowsCPUResources
	if r.CPU != nil {
		cpu = *r.CPU
	}
	count, err1 := q.pick(a, annotations.ContainerProcessorCount, "windows.resources.cpu.count", cpu.Count)
	maximum, err2 := q.pick(a, annotations.ContainerProcessorLimit, "windows.resources.cpu.maximum", widen(cpu.Maximum))
	shares, err3 := q.pick(a, annotations.ContainerProcessorWeight, "windows.resources.cpu.shares", widen(cpu.Shares))
	if err := first(err1, err2, err3); err != nil {
		return err
	}
	var named, changed []processorLimit
	for _, p := range []processorLimit{{byCount, count}, {byMaximum, maximum}, {byShares, shares}} {
		if p.value == 0 {
			continue
		}
		named = append(named, p)
		if before.named[p.field] != p.value {
			changed = append(changed, p)
		}
	}
	if q.hasProcessor = len(named) > 0; q.hasProcessor {
		for _, p := range []wish{count, maximum, shares} {
			if p.value == 0 { // it is not asked for any more, so to name it again is a change
				delete(q.next.named, p.field)
			}
		}
	}
	switch {
	case len(changed) > 1:
		return excludeEachOther(changed)
	case len(changed) == 1:
		q.next.processor = changed[0]
	case len(named) == 1 && named[0].kind != before.processor.kind: // the other is not asked for any more
		q.next.processor = named[0]
	default:
		return nil
	}
	return c.upToWhole(&q.next.processor)
}

func excludeEachOther(limits []processorLimit) error {
	var fields []string
	for _, p := range limits {
		fields = append(fields, p.field)
	}
	return fmt.Errorf("%s exclude each other: keep one: %w", strings.Join(fields, " and "), errdefs.ErrInvalidArgument)
}

// upToWhole holds maximum and shares to the range that the kernel and the Host Compute Service take.
func (c *Compromise) upToWhole(p *processorLimit) error {
	if p.kind == byCount || p.value <= whole {
		return nil
	}
	return c.outOfRange(&p.wish, fmt.Sprintf("use 1 to %d", whole), whole)
}

// readMemory takes the bytes as they are. An annotation counts in megabytes and goes first.
func (c *Compromise) readMemory(q *request, before Requested, r *specs.WindowsResources, a map[string]string) error {
	var limit *uint64
	if r.Memory != nil {
		limit = r.Memory.Limit
	}
	w, err := q.pick(a, annotations.ContainerMemorySizeInMB, "windows.resources.memory.limit", limit)
	if err != nil || w.value == 0 {
		return err
	}
	q.hasMemory = true
	if before.named[w.field] == w.value {
		return nil
	}
	unit := uint64(1)
	if _, annotated := a[annotations.ContainerMemorySizeInMB]; annotated {
		unit = 1 << 20
	}
	switch least := minMemory / unit; {
	case w.value > math.MaxInt64/unit:
		return fmt.Errorf("%s %d is too large: %w", w.field, w.value, errdefs.ErrInvalidArgument)
	case w.value < least:
		err = c.outOfRange(&w, fmt.Sprintf("use at least %d: containers with less memory are known to hang", least), least)
	}
	w.value *= unit
	q.next.memory = w
	return err
}

func (c *Compromise) readStorage(q *request, before Requested, r *specs.WindowsResources, a map[string]string) error {
	var st specs.WindowsStorageResources
	if r.Storage != nil {
		st = *r.Storage
	}
	bps, err1 := q.pick(a, annotations.ContainerStorageQoSBandwidthMaximum, "windows.resources.storage.bps", st.Bps)
	iops, err2 := q.pick(a, annotations.ContainerStorageQoSIopsMaximum, "windows.resources.storage.iops", st.Iops)
	size, err3 := q.pick(nil, "", "windows.resources.storage.sandboxSize", st.SandboxSize)
	if before.named[bps.field] != bps.value {
		q.bps = bps
	}
	if before.named[iops.field] != iops.value {
		q.iops = iops
	}
	if size.value > 0 && before.named[size.field] != size.value {
		c.warn(size.field, "the size of the layer to write to is the snapshotter's to set, by the label "+
			"containerd.io/snapshot/io.microsoft.container.storage.rootfs.size-gb")
	}
	return first(err1, err2, err3)
}

// pick takes the annotation, or else the spec's own field, and notes both as named.
func (q *request) pick(a map[string]string, annotation, field string, value *uint64) (wish, error) {
	if value != nil {
		q.next.named[field] = *value
	}
	if text, has := a[annotation]; has {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return wish{}, fmt.Errorf("annotation %s: it is not a whole number: %w", annotation, errdefs.ErrInvalidArgument)
		}
		q.next.named["annotation "+annotation] = n
		return wish{"annotation " + annotation, n}, nil
	}
	if value == nil {
		return wish{field: field}, nil
	}
	return wish{field, *value}, nil
}

func widen(v *uint16) *uint64 {
	if v == nil {
		return nil
	}
	w := uint64(*v)
	return &w
}

// sameAffinity compares without regard to the order of the groups.
func sameAffinity(a, b []Affinity) bool {
	byGroup := func(a, b Affinity) int { return int(a.Group) - int(b.Group) }
	return slices.Equal(slices.SortedFunc(slices.Values(a), byGroup), slices.SortedFunc(slices.Values(b), byGroup))
}
