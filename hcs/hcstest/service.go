package hcstest

import (
	"fmt"
	"sync"

	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/internal/seal"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/schema"
)

// Service is a simulated service, an [hcs.Service]. It is safe for concurrent
// use. Handles and pids are never used twice, so that a use after close is an
// error and never a coincidence.
type Service struct {
	seal.Marker

	running sync.WaitGroup // programs, late operations and the notifier

	mu        sync.Mutex // guards the fields below and all objects
	last      uintptr
	lastPid   uint32
	handles   map[uintptr]*entry
	ops       map[hcs.OperationHandle]*operation
	systems   map[string]*system
	kernel    jobobject.Kernel // has the jobs of new systems; nil for none
	instances []schema.ContainerCredentialGuardInstance
	programs  map[string]func(*Proc) uint32
	faults    map[string]*Fault
	calls     map[string]int
	events    []event
	notifying bool
	gone      bool
	oldCodes  bool
	misuse    []string
}

// entry is what a handle stands for: a *system or a *Proc.
type entry struct {
	object     any
	using      int // calls in progress
	notify     func(hcs.Notification)
	closed     bool
	delivering chan struct{} // not nil while notify runs
}

var _ hcs.Service = (*Service)(nil)

// New returns a service without systems and programs.
func New() *Service {
	return &Service{
		lastPid:  5000,
		handles:  make(map[uintptr]*entry),
		ops:      make(map[hcs.OperationHandle]*operation),
		systems:  make(map[string]*system),
		programs: make(map[string]func(*Proc) uint32),
		faults:   make(map[string]*Fault),
		calls:    make(map[string]int),
	}
}

// Calls returns how often the call of that name was made. Names are the methods of
// [hcs.Service], and those of [hcs.SystemCall] and [hcs.ProcessCall].
func (s *Service) Calls(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[name]
}

// OpenHandles counts the handles and operations that are not closed yet.
func (s *Service) OpenHandles() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.handles) + len(s.ops)
}

// Misuse lists what would have crashed a client of the real service.
func (s *Service) Misuse() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.misuse...)
}

// Settled waits for the calls of c, and fails the test t if anything is left over of
// what c did with s.
func Settled(t interface {
	Helper()
	Errorf(format string, args ...any)
}, s *Service, c *hcs.Client) {
	t.Helper()
	<-c.Idle()
	if n := s.OpenHandles(); n != 0 {
		t.Errorf("%d handles left open", n)
	}
	for _, m := range s.Misuse() {
		t.Errorf("misuse: %s", m)
	}
}

// OldCodes makes the service fail with 0xC037xxxx in place of 0x8037xxxx, as its
// older versions do.
func (s *Service) OldCodes() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.oldCodes = true
}

// Wait returns when the functions of all processes have returned, all late
// operations are complete and all notifications are delivered.
func (s *Service) Wait() { s.running.Wait() }

// Disconnect ends the service as a crash does: systems and processes end without an
// event of theirs, every handle gets EventServiceDisconnected, and calls fail until
// Reconnect.
func (s *Service) Disconnect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = true
	for _, o := range s.ops {
		o.completeLocked("", hcs.CodeServiceDisconnect)
	}
	for id, sys := range s.systems {
		delete(s.systems, id)
		sys.state = schema.StateStopped
		sys.closeJobLocked()
		for _, p := range sys.procs {
			p.endSilentlyLocked(1)
			p.noticed = true
		}
	}
	s.instances = nil
	for _, e := range s.handles {
		s.notifyLocked(e, hcs.Notification{Event: hcs.EventServiceDisconnected})
	}
}

// Reconnect starts the service anew, without any systems.
func (s *Service) Reconnect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = false
}

// enterLocked counts a call. It returns an error while the service is disconnected.
func (s *Service) enterLocked(call string) error {
	s.calls[call]++
	if s.gone {
		return hcs.CodeWin32RPCUnavailable
	}
	return nil
}

func (s *Service) openLocked(object any) uintptr {
	s.last += 16
	s.handles[s.last] = &entry{object: object}
	return s.last
}

// lookLocked finds the object of type T behind h.
func lookLocked[T any](s *Service, call string, h uintptr) (*entry, T, error) {
	var none T
	e, ok := s.handles[h]
	if !ok {
		s.misuse = append(s.misuse, fmt.Sprintf("%s with handle %d, which is not open", call, h))
		return nil, none, hcs.CodeWin32InvalidHandle
	}
	object, ok := e.object.(T)
	if !ok {
		s.misuse = append(s.misuse, fmt.Sprintf("%s with handle %d, which is a %T", call, h, e.object))
		return nil, none, hcs.CodeWin32InvalidHandle
	}
	return e, object, nil
}

// use marks h as in use for the length of a call.
func use[T any](s *Service, call string, h uintptr) (object T, done func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.enterLocked(call); err != nil {
		return object, nil, err
	}
	e, object, err := lookLocked[T](s, call, h)
	if err != nil {
		return object, nil, err
	}
	e.using++
	return object, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		e.using--
	}, nil
}

// closeHandle returns when no notification of h is or will be under way.
func (s *Service) closeHandle(call string, h uintptr) {
	_ = s.plan(call).wait(nil)
	s.mu.Lock()
	s.calls[call]++
	e, ok := s.handles[h]
	if !ok {
		s.misuse = append(s.misuse, fmt.Sprintf("%s with handle %d, which is not open", call, h))
		s.mu.Unlock()
		return
	}
	if e.using > 0 {
		s.misuse = append(s.misuse, fmt.Sprintf("%s with handle %d, which %d calls use", call, h, e.using))
	}
	delete(s.handles, h)
	e.closed = true
	if sys, ok := e.object.(*system); ok {
		sys.handles--
		if sys.handles == 0 && sys.document.ShouldTerminateOnLastHandleClosed {
			s.exitLocked(sys, schema.ExitForced)
		}
	}
	delivering := e.delivering
	s.mu.Unlock()
	if delivering != nil {
		<-delivering
	}
}

// failure is code with the document that the service sends along.
func (s *Service) failure(code hcs.Code, message string) error {
	s.mu.Lock()
	old := s.oldCodes
	s.mu.Unlock()
	if old && code>>16 == 0x8037 {
		code |= 0x40000000
	}
	r := schema.ResultError{Error: int32(code), ErrorMessage: code.Error()}
	if message != "" {
		r.ErrorEvents = []schema.ErrorEvent{{Message: message, Source: "hcstest"}}
	}
	return &hcs.Failure{Code: code, Document: encode(r)}
}

// encode writes a document of this package.
func encode(v any) string {
	b, err := schema.Marshal(v)
	if err != nil {
		panic(err) // the types are ours and encode
	}
	return string(b)
}
