package hcstest

import (
	"slices"
	"strings"
	"time"

	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/schema"
)

// system is a compute system. Its fields are guarded by Service.mu.
type system struct {
	id       string
	document schema.ComputeSystem
	state    schema.SystemState
	started  time.Time
	procs    []*Proc // also those that have ended
	handles  int
	exit     *hcs.Notification
	exitType schema.ExitType
	kernel   jobobject.Kernel // of job; nil without one
	job      jobobject.Handle
}

// CreateSystem implements [hcs.Service].
func (s *Service) CreateSystem(op hcs.OperationHandle, id, document string) (hcs.SystemHandle, error) {
	s.mu.Lock()
	err := s.enterLocked("CreateSystem")
	s.mu.Unlock()
	if err != nil {
		return 0, err
	}
	sys := &system{id: id, state: schema.StateUnknown}
	err = s.begin(op, "CreateSystem", func(*operation) (string, error) {
		var d schema.ComputeSystem
		if code, why := validate(id, document, &d); why != "" {
			return "", s.failure(code, why)
		}
		s.mu.Lock()
		taken := s.systems[id] != nil
		var err error
		if !taken {
			sys.document, sys.state = d, schema.StateCreated
			if err = s.makeJobLocked(sys); err == nil {
				s.systems[id] = sys
			}
		}
		s.mu.Unlock()
		if taken {
			return "", s.failure(hcs.CodeSystemAlreadyExists, "")
		}
		return "", err
	})
	if err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sys.handles++
	return hcs.SystemHandle(s.openLocked(sys)), nil
}

// OpenSystem implements [hcs.Service].
func (s *Service) OpenSystem(id string, _ uint32) (hcs.SystemHandle, error) {
	if err := s.plan("OpenSystem").wait(nil); err != nil {
		return 0, err
	}
	s.mu.Lock()
	err := s.enterLocked("OpenSystem")
	sys := s.systems[id]
	var h uintptr
	if err == nil && sys != nil {
		sys.handles++
		h = s.openLocked(sys)
	}
	s.mu.Unlock()
	if err == nil && sys == nil {
		err = s.failure(hcs.CodeSystemNotFound, "")
	}
	return hcs.SystemHandle(h), err
}

// CloseSystem implements [hcs.Service].
func (s *Service) CloseSystem(h hcs.SystemHandle) { s.closeHandle("CloseSystem", uintptr(h)) }

// EnumerateSystems implements [hcs.Service].
func (s *Service) EnumerateSystems(op hcs.OperationHandle, query string) error {
	s.mu.Lock()
	err := s.enterLocked("EnumerateSystems")
	s.mu.Unlock()
	if err != nil {
		return err
	}
	return s.begin(op, "EnumerateSystems", func(*operation) (string, error) {
		var q schema.SystemQuery
		if schema.Unmarshal([]byte(query), &q) != nil || strict(q) != "" {
			return "", s.failure(hcs.CodeInvalidJSON, "")
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		list := []schema.Properties{}
		for _, sys := range s.systems {
			if matches(q.Ids, sys.id) && matches(q.Names, sys.id) && matches(q.Owners, sys.document.Owner) &&
				matches(q.Types, schema.TypeContainer) {
				list = append(list, sys.basic())
			}
		}
		slices.SortFunc(list, func(a, b schema.Properties) int { return strings.Compare(a.Id, b.Id) })
		return encode(list), nil
	})
}

func matches[T comparable](list []T, v T) bool { return len(list) == 0 || slices.Contains(list, v) }

// CallSystem implements [hcs.Service].
func (s *Service) CallSystem(op hcs.OperationHandle, h hcs.SystemHandle, call hcs.SystemCall, document string) error {
	sys, done, err := use[*system](s, call.String(), uintptr(h))
	if err != nil {
		return err
	}
	defer done()
	return s.begin(op, call.String(), func(*operation) (string, error) {
		switch call {
		case hcs.CallSystemProperties:
			return s.properties(sys, document)
		case hcs.CallModifySystem:
			return "", s.modify(sys, document)
		}
		return "", s.change(sys, call)
	})
}

// change moves sys from one state to another.
func (s *Service) change(sys *system, call hcs.SystemCall) error {
	s.mu.Lock()
	code := hcs.Code(0)
	switch {
	case sys.state == schema.StateStopped:
		code = hcs.CodeSystemAlreadyStopped
	case call == hcs.CallPauseSystem, call == hcs.CallResumeSystem:
		code = hcs.CodeNotImplemented // the service pauses virtual machines
	case call == hcs.CallStartSystem && sys.state != schema.StateCreated:
		code = hcs.CodeInvalidState
	case call == hcs.CallStartSystem:
		sys.state, sys.started = schema.StateRunning, time.Now()
	case call == hcs.CallShutDownSystem:
		s.exitLocked(sys, schema.ExitGraceful)
	case call == hcs.CallTerminateSystem:
		s.exitLocked(sys, schema.ExitForced)
	}
	s.mu.Unlock()
	if code != 0 {
		return s.failure(code, "")
	}
	return nil
}

// exitLocked ends sys: its processes first, then itself, and its id is free.
func (s *Service) exitLocked(sys *system, how schema.ExitType) {
	if sys.state == schema.StateStopped || sys.state == schema.StateUnknown {
		return
	}
	for _, p := range sys.procs {
		s.endLocked(p, 1)
	}
	sys.closeJobLocked()
	sys.state, sys.exitType = schema.StateStopped, how
	if s.systems[sys.id] == sys {
		delete(s.systems, sys.id)
	}
	status := schema.SystemExitStatus{ExitType: how}
	if how == schema.ExitUnexpected {
		status.Status = int32(-0x7fc8fefa) // HCS_E_UNEXPECTED_EXIT
	}
	sys.exit = &hcs.Notification{Event: hcs.EventSystemExited, Document: encode(status)}
	f, planned := s.planLocked("SystemExited")
	switch {
	case !planned:
		s.notifyAllLocked(sys, *sys.exit)
	case f.Late:
		s.running.Go(func() {
			_ = f.wait(nil) // an event has no error
			s.mu.Lock()
			defer s.mu.Unlock()
			s.notifyAllLocked(sys, *sys.exit)
		})
	}
}

// Crash ends the system called id unexpectedly.
func (s *Service) Crash(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sys := s.systems[id]; sys != nil {
		s.exitLocked(sys, schema.ExitUnexpected)
	}
}

// Notify sends n to all handles of the system called id.
func (s *Service) Notify(id string, n hcs.Notification) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sys := s.systems[id]; sys != nil {
		s.notifyAllLocked(sys, n)
	}
}

// Document returns the document of the system called id as it stands, with all
// that was modified since its creation.
func (s *Service) Document(id string) (schema.ComputeSystem, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sys, ok := s.systems[id]
	if !ok {
		return schema.ComputeSystem{}, false
	}
	return sys.document, true
}
