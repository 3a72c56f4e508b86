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
	"github.com/siloshim/siloshim/schema"
)

// ErrClosed is the error of a call to a closed [System]. It is [fs.ErrClosed], as that of package jobobject is.
var ErrClosed = fs.ErrClosed

// SystemOptions describe a compute system of the Host Compute Service.
type SystemOptions struct {
	ID            string
	SystemType    string // "container" or "virtualmachine", in any case
	RuntimeOSType string // empty for "windows"
	// Owner names the program that made the system; empty if that is unknown.
	Owner string
	// Service is queried for what the kernel does not answer; nil makes that an error.
	Service Service
	// Fallback is called once, with the first reason why the service was queried for what the kernel should have
	// answered. [Sample].Fallbacks counts them all. It must not block.
	Fallback func(types []schema.PropertyType, reason error)
	// Kernel, BusyAfter and Now are as in [NamedOptions].
	Kernel    jobobject.Kernel
	BusyAfter time.Duration
	Now       func() time.Time
}

// Properties are the answer of [System.Properties].
type Properties struct {
	ID            string
	SystemType    string // in lower case
	RuntimeOSType string // in lower case
	Owner         string // in the spelling of the program that made the system
	// Statistics is nil unless it was queried and is known.
	Statistics *Sample
	// ProcessList is nil unless it was queried and is known.
	ProcessList []Process
	// Document is the service's own answer, for the other types; nil if the service was not queried.
	Document *schema.Properties
}

// System answers for one compute system, from its job object as far as the kernel does. It keeps no handle open between
// calls. It is safe for concurrent use; one call at a time queries the kernel and the service.
type System struct {
	// Immutable.
	o         SystemOptions
	collector *Collector // nil for a virtual machine, which has no job here
	reported  sync.Once  // guards the one call of Fallback

	fallbacks atomic.Uint64
	closed    atomic.Bool
	started   atomic.Pointer[time.Time] // by the service, for calls without a start
}

// NewSystem makes a system. It queries nothing.
func NewSystem(o SystemOptions) *System {
	o.SystemType = strings.ToLower(o.SystemType)
	o.RuntimeOSType = strings.ToLower(o.RuntimeOSType)
	if o.RuntimeOSType == "" && o.SystemType == "container" {
		o.RuntimeOSType = "windows"
	}
	s := &System{o: o}
	if o.SystemType == "container" {
		s.collector = NewSiloCollector(o.ID, NamedOptions{Kernel: o.Kernel, BusyAfter: o.BusyAfter, Now: o.Now})
	}
	return s
}

// Close ends the use of the system: later calls fail with [ErrClosed].
func (s *System) Close() error {
	s.closed.Store(true)
	return nil
}

// Properties answers each of types, once however often it is named. Statistics and the process list come from the
// kernel. The service is queried in one call for the other types and for what the kernel refused, and not at all if
// there are none. Metrics that the kernel gave stay, and the service fills the gaps. All types of a virtual machine go to
// the service as they are. started is when the init process started, or zero if that is unknown.
//
// If the service fails, the error is the service's own, and what the kernel gave is returned with it. Without that it
// fails with the error of ctx or with [ErrBusy].
//
// https://learn.microsoft.com/virtualization/api/hcs/schemareference#System_PropertyType
func (s *System) Properties(ctx context.Context, started time.Time, types ...schema.PropertyType) (Properties, error) {
	switch {
	case s.closed.Load():
		return Properties{}, fmt.Errorf("query properties of %s: %w", s.o.ID, ErrClosed)
	case s.collector == nil:
		return s.queryService(ctx, types)
	}
	if err := s.collector.acquire(ctx); err != nil {
		return Properties{}, fmt.Errorf("query properties of %s: %w", s.o.ID, err)
	}
	mine, err := within(ctx, s.collector, func() kernelAnswer { return s.queryKernel(started, types) })
	if err != nil {
		return Properties{}, fmt.Errorf("query properties of %s: %w", s.o.ID, err)
	}
	defer s.collector.release()
	if len(mine.left) == 0 {
		return mine.Properties, nil
	}
	if mine.reason != nil {
		s.countFallback(&mine)
	}
	theirs, err := s.queryService(ctx, mine.left)
	if err != nil {
		return mine.Properties, err
	}
	if t := theirs.Statistics; t != nil && t.Has(MetricStarted) {
		s.started.Store(&t.Started)
	}
	return merge(mine.Properties, theirs), nil
}

// kernelAnswer is what the kernel gave.
type kernelAnswer struct {
	Properties
	left   []schema.PropertyType // what remains for the service, in the order of the types
	reason error                 // why a type that the kernel should have answered is in left
}

// queryKernel answers the types that the kernel can. The caller holds the semaphore of the collector.
func (s *System) queryKernel(started time.Time, types []schema.PropertyType) kernelAnswer {
	a := kernelAnswer{Properties: Properties{
		ID: s.o.ID, SystemType: s.o.SystemType, RuntimeOSType: s.o.RuntimeOSType, Owner: s.o.Owner,
	}}
	for i, t := range types {
		if slices.Contains(types[:i], t) {
			continue
		}
		var err error
		switch t {
		case schema.PropertyStatistics:
			a.Statistics, err = s.sample(started)
		case schema.PropertyProcessList:
			l := s.collector.list()
			a.ProcessList, err = l.processes, l.err
		default:
			a.left = append(a.left, t)
		}
		if err != nil {
			a.left = append(a.left, t)
			if a.reason == nil {
				a.reason = err
			}
		}
	}
	return a
}

// sample makes a sample, and fails beside it if a metric is missing that the service has.
func (s *System) sample(started time.Time) (*Sample, error) {
	if at := s.started.Load(); started.IsZero() && at != nil {
		started = *at
	}
	sample, _ := s.collector.sample(started) // an error is the reason of each metric as well
	sample.Owner, sample.Fallbacks = s.o.Owner, s.fallbacks.Load()
	for _, m := range served {
		if !sample.Has(m) {
			return &sample, fmt.Errorf("query %s of %s: %w", m, s.o.ID, sample.Metrics[m].Err)
		}
	}
	return &sample, nil
}

// queryService queries the service. Its errors are returned as they are.
func (s *System) queryService(ctx context.Context, types []schema.PropertyType) (Properties, error) {
	if s.o.Service == nil {
		return Properties{}, fmt.Errorf("query properties %v of %s: no compute service: %w", types, s.o.ID, jobobject.ErrNotSupported)
	}
	document, err := s.o.Service.Properties(ctx, types...)
	if err != nil {
		return Properties{}, err
	}
	return fromDocument(document), nil
}

// countFallback counts a fallback and reports the first.
func (s *System) countFallback(a *kernelAnswer) {
	n := s.fallbacks.Add(1)
	if a.Statistics != nil {
		a.Statistics.Fallbacks = n
	}
	if s.o.Fallback != nil {
		s.reported.Do(func() { s.o.Fallback(slices.Clone(a.left), a.reason) })
	}
}
