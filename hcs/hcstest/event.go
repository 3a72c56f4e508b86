package hcstest

import (
	"github.com/siloshim/siloshim/hcs"
)

// event is a notification on its way to a handle.
type event struct {
	to *entry
	n  hcs.Notification
}

// notifyLocked sends n to e behind all that was sent before. One thread delivers
// all of them, as in the real service: a callback that blocks delays every other.
func (s *Service) notifyLocked(e *entry, n hcs.Notification) {
	if e.notify == nil || e.closed {
		return
	}
	s.events = append(s.events, event{e, n})
	if !s.notifying {
		s.notifying = true
		s.running.Go(s.deliver)
	}
}

func (s *Service) deliver() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.events) > 0 {
		next := s.events[0]
		s.events = s.events[1:]
		if next.to.closed {
			continue
		}
		delivering := make(chan struct{})
		next.to.delivering = delivering
		s.mu.Unlock()
		next.to.notify(next.n)
		s.mu.Lock()
		next.to.delivering = nil
		close(delivering)
	}
	s.notifying = false
}

// notifyAllLocked sends n to all handles of object.
func (s *Service) notifyAllLocked(object any, n hcs.Notification) {
	for _, e := range s.handles {
		if e.object == object {
			s.notifyLocked(e, n)
		}
	}
}

// subscribeLocked sets the callback of e, and sends it what it has missed.
func (s *Service) subscribeLocked(e *entry, notify func(hcs.Notification), missed *hcs.Notification) error {
	if e.notify != nil {
		return hcs.CodeCallbackAlreadySet
	}
	e.notify = notify
	if missed != nil {
		s.notifyLocked(e, *missed)
	}
	return nil
}

// SetSystemCallback implements [hcs.Service].
func (s *Service) SetSystemCallback(h hcs.SystemHandle, notify func(hcs.Notification)) error {
	return setCallback(s, "SetSystemCallback", uintptr(h), notify, func(sys *system) *hcs.Notification { return sys.exit })
}

// SetProcessCallback implements [hcs.Service].
func (s *Service) SetProcessCallback(h hcs.ProcessHandle, notify func(hcs.Notification)) error {
	return setCallback(s, "SetProcessCallback", uintptr(h), notify, func(p *Proc) *hcs.Notification {
		if !p.noticed {
			return nil
		}
		return p.exit
	})
}

func setCallback[T any](s *Service, call string, h uintptr, notify func(hcs.Notification), missed func(T) *hcs.Notification) error {
	if err := s.plan(call).wait(nil); err != nil {
		return err
	}
	object, done, err := use[T](s, call, h)
	if err != nil {
		return err
	}
	defer done()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.subscribeLocked(s.handles[h], notify, missed(object))
}
