package hcstest

import (
	"time"

	"github.com/siloshim/siloshim/hcs"
)

// Fault makes a call go wrong, or slowly.
type Fault struct {
	Skip  int // how many calls to let pass before
	Times int // how often; 0 means once, a negative number always
	// Err is what the call fails with, if not nil, before it does anything.
	Err error
	// Delay and Hang delay the call, for a time and until the channel is closed.
	Delay time.Duration
	Hang  <-chan struct{}
	// Late lets the call be accepted, and makes all of the above happen to the
	// operation behind it.
	Late bool
	// Deaf operations ignore their cancellation.
	Deaf bool
	// Done calls do what they are to do before they fail. It goes with Late.
	Done bool
}

// Fault plans f for the next calls of that name; see [Service.Calls] for names.
// One plan replaces another. The names "ProcessExited" and "SystemExited" stand
// for notifications, which get lost, or with Late are held up.
func (s *Service) Fault(name string, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.Times == 0 {
		f.Times = 1
	}
	s.faults[name] = &f
}

// plan takes one fault out of the plan for a call.
func (s *Service) plan(name string) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, _ := s.planLocked(name)
	return f
}

func (s *Service) planLocked(name string) (f Fault, planned bool) {
	next := s.faults[name]
	if next == nil || next.Times == 0 {
		return Fault{}, false
	}
	if next.Skip > 0 {
		next.Skip--
		return Fault{}, false
	}
	next.Times--
	return *next, true
}

// wait takes the time of f and returns its error, or that of the cancellation.
func (f Fault) wait(cancel <-chan struct{}) error {
	if f.Deaf {
		cancel = nil
	}
	if f.Hang != nil {
		select {
		case <-f.Hang:
		case <-cancel:
			return hcs.CodeWin32Cancelled
		}
	}
	if f.Delay > 0 {
		timer := time.NewTimer(f.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-cancel:
			return hcs.CodeWin32Cancelled
		}
	}
	return f.Err
}
