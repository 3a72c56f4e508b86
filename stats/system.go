package stats

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/siloshim/siloshim/jobobject"
)

// ErrClosed says that the system was closed. It is [fs.ErrClosed], as that of package jobobject is.
var ErrClosed = fs.ErrClosed

// SystemOptions describe a container of the Host Compute Service.
type SystemOptions struct {
	ID            string
	SystemType    string // "container", or "virtualmachine"
	RuntimeOSType string // empty for "windows"
	Owner         string
	// Started is when the init started, or zero for "unknown".
	Started time.Time
	// Service answers what the kernel does not; nil makes that an error.
	Service Service
	// Fallback hears once why the service had to be asked for what this process should have answered, and nothing of
	// the later times, which [Sample].Fallbacks counts. It must not block.
	Fallback func(types []PropertyType, reason error)
	// Collector describes the sampling. Its Owner is taken from above.
	Collector Options
}

// System answers for one container, in this process as far as it can. It is safe for concurrent use.
type System struct {
	// Immutable.
	o         SystemOptions
	collector *Collector // nil for a virtual machine
	told      sync.Once  // guards the one call of Fallback

	fallbacks atomic.Uint64
	closed    atomic.Bool
	owner     atomic.Pointer[string] // as the service told it, where nobody did before
	started   atomic.Pointer[time.Time]
}

// NewSystem makes a system. It asks nothing yet.
func NewSystem(o SystemOptions) *System {
	o.SystemType = strings.ToLower(o.SystemType)
	o.RuntimeOSType = strings.ToLower(o.RuntimeOSType)
	if o.RuntimeOSType == "" && o.SystemType == "container" {
		o.RuntimeOSType = "windows"
	}
	s := &System{o: o}
	if o.SystemType == "container" {
		o.Collector.Owner = o.Owner
		s.collector = NewSiloCollector(o.ID, o.Collector)
	}
	return s
}

// Close releases what is kept. Later calls say [ErrClosed].
func (s *System) Close() error {
	s.closed.Store(true)
	if s.collector != nil {
		s.collector.Release()
	}
	return nil
}

// Properties answers for each of types, once however often it is named. Statistics and the process list come from the
// kernel; the service is asked only for what the kernel refused and for the other types, in one call, and not at all
// if there are none. Of statistics, what the kernel gave stays and the service fills the gaps. A virtual machine has
// no job here: all its types go to the service as they are.
//
// If the service fails, the error is its own and what the kernel gave is returned with it.
func (s *System) Properties(ctx context.Context, types ...PropertyType) (Properties, error) {
	if s.closed.Load() {
		return Properties{}, fmt.Errorf("query properties of %s: %w", s.o.ID, ErrClosed)
	}
	if s.collector == nil {
		return s.ask(ctx, types)
	}
	mine := Properties{ID: s.o.ID, SystemType: s.o.SystemType, RuntimeOSType: s.o.RuntimeOSType, Owner: s.ownerNow()}
	left, reason := s.local(&mine, types)
	if len(left) == 0 {
		return mine, nil
	}
	if reason != nil {
		s.note(&mine, left, reason)
	}
	theirs, err := s.ask(ctx, left)
	if err != nil {
		return mine, err
	}
	s.remember(&theirs)
	return merge(mine, theirs), nil
}

// ask asks the service. Its errors go out as they are.
func (s *System) ask(ctx context.Context, types []PropertyType) (Properties, error) {
	if s.o.Service == nil {
		return Properties{}, fmt.Errorf("query properties %v of %s: no compute service: %w", types, s.o.ID, jobobject.ErrNotSupported)
	}
	return s.o.Service.Properties(ctx, types)
}

// local answers what the kernel can. left is what remains for the service, in the order asked; reason is why a type
// that should have been answered here is among it.
func (s *System) local(p *Properties, types []PropertyType) (left []PropertyType, reason error) {
	for i, t := range types {
		if slices.Contains(types[:i], t) {
			continue
		}
		var err error
		switch t {
		case PropertyStatistics:
			err = s.statistics(p)
		case PropertyProcessList:
			p.ProcessList, err = s.collector.Processes()
		default:
			left = append(left, t)
		}
		if err != nil {
			left = append(left, t)
			if reason == nil {
				reason = err
			}
		}
	}
	return left, reason
}

// statistics samples, and says why a figure that the service has is missing.
func (s *System) statistics(p *Properties) error {
	started := s.o.Started
	if at := s.started.Load(); started.IsZero() && at != nil {
		started = *at
	}
	sample := s.collector.Sample(started)
	sample.Owner, sample.Fallbacks = p.Owner, s.fallbacks.Load()
	p.Statistics = &sample
	for _, f := range served {
		if !sample.Has(f) {
			return fmt.Errorf("query %s of %s: %w", f, s.o.ID, sample.Metrics[f].Err)
		}
	}
	return nil
}

// note counts a fallback and tells of the first.
func (s *System) note(p *Properties, types []PropertyType, reason error) {
	n := s.fallbacks.Add(1)
	if p.Statistics != nil {
		p.Statistics.Fallbacks = n
	}
	if s.o.Fallback != nil {
		s.told.Do(func() { s.o.Fallback(slices.Clone(types), reason) })
	}
}

func (s *System) ownerNow() string {
	if told := s.owner.Load(); s.o.Owner == "" && told != nil {
		return *told
	}
	return s.o.Owner
}

// remember keeps what only the service knows of a system that was opened, for the samples that do without it.
func (s *System) remember(theirs *Properties) {
	if theirs.Owner != "" {
		owner := theirs.Owner
		s.owner.Store(&owner)
	}
	if t := theirs.Statistics; t != nil && t.Has(MetricStarted) {
		at := t.Started
		s.started.Store(&at)
	}
}
