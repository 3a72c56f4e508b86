package sim_test

import (
	"sync"

	"github.com/siloshim/siloshim/hcs"
)

// faultyService is the compute service of a shim with an injector. Operations have no points: an operation goes on
// without a waiting process. When the shim exits its waits end with the loss of the service, so that their goroutines end.
type faultyService struct {
	hcs.Service
	injector *injector

	mu     sync.Mutex // guards the field below
	notify []func(hcs.Notification)
}

func newFaultyService(s hcs.Service, f *injector) *faultyService {
	m := &faultyService{Service: s, injector: f}
	go func() { // ends with the exit, at the latest at the end of the run
		<-f.reached
		m.mu.Lock()
		defer m.mu.Unlock()
		for _, notify := range m.notify {
			notify(hcs.Notification{Event: hcs.EventServiceDisconnected})
		}
	}()
	return m
}

func (m *faultyService) atPoint(name string, call func() error) error {
	return m.injector.call("service "+name, call)
}

func (m *faultyService) CreateSystem(op hcs.OperationHandle, id, document string) (h hcs.SystemHandle, err error) {
	err = m.atPoint("CreateSystem", func() error {
		if h, err = m.Service.CreateSystem(op, id, document); err == nil {
			m.injector.opened(h, func() { m.Service.CloseSystem(h) })
		}
		return err
	})
	return h, err
}

func (m *faultyService) OpenSystem(id string, access uint32) (h hcs.SystemHandle, err error) {
	err = m.atPoint("OpenSystem", func() error {
		if h, err = m.Service.OpenSystem(id, access); err == nil {
			m.injector.opened(h, func() { m.Service.CloseSystem(h) })
		}
		return err
	})
	return h, err
}

func (m *faultyService) OpenProcess(s hcs.SystemHandle, pid, access uint32) (h hcs.ProcessHandle, err error) {
	err = m.atPoint("OpenProcess", func() error {
		if h, err = m.Service.OpenProcess(s, pid, access); err == nil {
			m.injector.opened(h, func() { m.Service.CloseProcess(h) })
		}
		return err
	})
	return h, err
}

func (m *faultyService) CloseSystem(h hcs.SystemHandle) {
	_ = m.atPoint("CloseSystem", func() error {
		m.injector.closed(h)
		m.Service.CloseSystem(h)
		return nil
	})
}

func (m *faultyService) CallSystem(op hcs.OperationHandle, h hcs.SystemHandle, call hcs.SystemCall, document string) error {
	if call == hcs.CallSystemProperties && !m.injector.hasExited() {
		return m.Service.CallSystem(op, h, call, document)
	}
	return m.atPoint(call.String(), func() error { return m.Service.CallSystem(op, h, call, document) })
}

func (m *faultyService) SetSystemCallback(h hcs.SystemHandle, notify func(hcs.Notification)) error {
	return m.atPoint("SetSystemCallback", func() error { return m.Service.SetSystemCallback(h, m.subscribe(notify)) })
}

func (m *faultyService) CreateProcess(op hcs.OperationHandle, s hcs.SystemHandle, document string) (h hcs.ProcessHandle, err error) {
	err = m.atPoint("CreateProcess", func() error {
		if h, err = m.Service.CreateProcess(op, s, document); err == nil {
			m.injector.opened(h, func() { m.Service.CloseProcess(h) })
		}
		return err
	})
	return h, err
}

func (m *faultyService) CloseProcess(h hcs.ProcessHandle) {
	_ = m.atPoint("CloseProcess", func() error {
		m.injector.closed(h)
		m.Service.CloseProcess(h)
		return nil
	})
}

func (m *faultyService) CallProcess(op hcs.OperationHandle, h hcs.ProcessHandle, call hcs.ProcessCall, document string) error {
	return m.atPoint(call.String(), func() error { return m.Service.CallProcess(op, h, call, document) })
}

func (m *faultyService) SetProcessCallback(h hcs.ProcessHandle, notify func(hcs.Notification)) error {
	return m.atPoint("SetProcessCallback", func() error { return m.Service.SetProcessCallback(h, m.subscribe(notify)) })
}

func (m *faultyService) ModifyServiceSettings(document string) (answer string, err error) {
	err = m.atPoint("ModifyServiceSettings", func() error {
		answer, err = m.Service.ModifyServiceSettings(document)
		return err
	})
	return answer, err
}

// subscribe adds a callback for the exit.
func (m *faultyService) subscribe(notify func(hcs.Notification)) func(hcs.Notification) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.notify = append(m.notify, notify)
	return notify
}
