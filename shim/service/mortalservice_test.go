package service_test

import (
	"sync"

	"github.com/siloshim/siloshim/hcs"
)

// mortalService is the compute service as one shim process sees it that has a fuse. Operations are no moments: one that
// nobody waits for goes on. Whoever waits for an end is told that the service is lost when the shim dies; a real
// process would not wait any more.
type mortalService struct {
	hcs.Service
	fuse *fuse

	mu     sync.Mutex // guards the field below
	notify []func(hcs.Notification)
}

func newMortalService(s hcs.Service, f *fuse) *mortalService {
	m := &mortalService{Service: s, fuse: f}
	go func() { // ends with the death; a shim that lives has one in the end, too
		<-f.blown
		m.mu.Lock()
		defer m.mu.Unlock()
		for _, notify := range m.notify {
			notify(hcs.Notification{Event: hcs.EventServiceDisconnected})
		}
	}()
	return m
}

func (m *mortalService) moment(name string, call func() error) error {
	return m.fuse.call("service "+name, call)
}

func (m *mortalService) CreateSystem(op hcs.OperationHandle, id, document string) (h hcs.SystemHandle, err error) {
	err = m.moment("CreateSystem", func() error {
		if h, err = m.Service.CreateSystem(op, id, document); err == nil {
			m.fuse.keep(h, func() { m.Service.CloseSystem(h) })
		}
		return err
	})
	return h, err
}

func (m *mortalService) OpenSystem(id string, access uint32) (h hcs.SystemHandle, err error) {
	err = m.moment("OpenSystem", func() error {
		if h, err = m.Service.OpenSystem(id, access); err == nil {
			m.fuse.keep(h, func() { m.Service.CloseSystem(h) })
		}
		return err
	})
	return h, err
}

func (m *mortalService) OpenProcess(s hcs.SystemHandle, pid, access uint32) (h hcs.ProcessHandle, err error) {
	err = m.moment("OpenProcess", func() error {
		if h, err = m.Service.OpenProcess(s, pid, access); err == nil {
			m.fuse.keep(h, func() { m.Service.CloseProcess(h) })
		}
		return err
	})
	return h, err
}

func (m *mortalService) CloseSystem(h hcs.SystemHandle) {
	_ = m.moment("CloseSystem", func() error {
		m.fuse.forget(h)
		m.Service.CloseSystem(h)
		return nil
	})
}

func (m *mortalService) CallSystem(op hcs.OperationHandle, h hcs.SystemHandle, call hcs.SystemCall, document string) error {
	if call == hcs.CallSystemProperties && !m.fuse.died() {
		return m.Service.CallSystem(op, h, call, document)
	}
	return m.moment(call.String(), func() error { return m.Service.CallSystem(op, h, call, document) })
}

func (m *mortalService) SetSystemCallback(h hcs.SystemHandle, notify func(hcs.Notification)) error {
	return m.moment("SetSystemCallback", func() error { return m.Service.SetSystemCallback(h, m.heard(notify)) })
}

func (m *mortalService) CreateProcess(op hcs.OperationHandle, s hcs.SystemHandle, document string) (h hcs.ProcessHandle, err error) {
	err = m.moment("CreateProcess", func() error {
		if h, err = m.Service.CreateProcess(op, s, document); err == nil {
			m.fuse.keep(h, func() { m.Service.CloseProcess(h) })
		}
		return err
	})
	return h, err
}

func (m *mortalService) CloseProcess(h hcs.ProcessHandle) {
	_ = m.moment("CloseProcess", func() error {
		m.fuse.forget(h)
		m.Service.CloseProcess(h)
		return nil
	})
}

func (m *mortalService) CallProcess(op hcs.OperationHandle, h hcs.ProcessHandle, call hcs.ProcessCall, document string) error {
	return m.moment(call.String(), func() error { return m.Service.CallProcess(op, h, call, document) })
}

func (m *mortalService) SetProcessCallback(h hcs.ProcessHandle, notify func(hcs.Notification)) error {
	return m.moment("SetProcessCallback", func() error { return m.Service.SetProcessCallback(h, m.heard(notify)) })
}

func (m *mortalService) ModifyServiceSettings(document string) (answer string, err error) {
	err = m.moment("ModifyServiceSettings", func() error {
		answer, err = m.Service.ModifyServiceSettings(document)
		return err
	})
	return answer, err
}

// heard remembers whom the death is to be told.
func (m *mortalService) heard(notify func(hcs.Notification)) func(hcs.Notification) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.notify = append(m.notify, notify)
	return notify
}
