package shim_test

import (
	"errors"
	"sync"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// errDead is what a dead shim's calls come to. Nobody is there to read it.
var errDead = errors.New("the shim is dead")

// mortal is the kernel as one shim process sees it, until the shim dies at its nth call that makes, ends or changes
// something: before the kernel acts on it, or after. Then the kernel closes every handle of the shim, as it does for
// a process that ends, and no later call has any effect. Calls that only look are no moments of their own: a death at
// one leaves what a death after the call before it does.
type mortal struct {
	*jobtest.Kernel
	// Immutable.
	at     int  // the call to die at; 0 is never
	before bool // before the kernel acts on it
	// onJob is called when a job has been made.
	onJob func(name string)

	// mu is held over the calls, so that the death is between two of them. It guards the fields below.
	mu     sync.Mutex
	calls  int
	dead   bool
	diedIn string
	open   map[jobobject.Handle]bool // true is a port
}

func newMortal(k *jobtest.Kernel, at int, before bool) *mortal {
	return &mortal{Kernel: k, at: at, before: before, onJob: func(string) {}, open: map[jobobject.Handle]bool{}}
}

// moment is one call that may be the last.
func (m *mortal) moment(name string, call func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return errDead
	}
	m.calls++
	last := m.calls == m.at
	if last && m.before {
		m.dieLocked(name)
		return errDead
	}
	err := call()
	if last {
		m.dieLocked(name)
		return errDead
	}
	return err
}

// opening is a call that opens a handle.
func (m *mortal) opening(name string, port bool, call func() (jobobject.Handle, error)) (h jobobject.Handle, err error) {
	err = m.moment(name, func() error {
		if h, err = call(); err == nil {
			m.open[h] = port
		}
		return err
	})
	return h, err
}

// dieLocked closes what is open. The message wakes the reader of a port, which a real process would not outlive.
func (m *mortal) dieLocked(name string) {
	m.dead, m.diedIn = true, name
	for h, port := range m.open {
		if port {
			_ = m.Kernel.PostPort(h, 0, 0) // its reader ends with the handle at the latest
		}
		_ = m.Kernel.CloseHandle(h) // the kernel closes what there is
	}
}

// died tells in which call the shim died, "" if it lives.
func (m *mortal) died() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.diedIn
}

// made counts the calls so far.
func (m *mortal) made() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.calls
}

func (m *mortal) CreateJob(name, sd string) (jobobject.Handle, error) {
	h, err := m.opening("CreateJob", false, func() (jobobject.Handle, error) {
		h, err := m.Kernel.CreateJob(name, sd)
		if err == nil {
			m.onJob(name)
		}
		return h, err
	})
	return h, err
}

func (m *mortal) OpenJob(name string, access jobobject.Access) (jobobject.Handle, error) {
	return m.opening("OpenJob", false, func() (jobobject.Handle, error) { return m.Kernel.OpenJob(name, access) })
}

func (m *mortal) CloseHandle(h jobobject.Handle) error {
	return m.moment("CloseHandle", func() error {
		delete(m.open, h)
		return m.Kernel.CloseHandle(h)
	})
}

func (m *mortal) TerminateJob(job jobobject.Handle, code uint32) error {
	return m.moment("TerminateJob", func() error { return m.Kernel.TerminateJob(job, code) })
}

func (m *mortal) SetLimits(job jobobject.Handle, part jobobject.LimitPart, l *jobobject.Limits, keep bool) error {
	return m.moment("SetLimits", func() error { return m.Kernel.SetLimits(job, part, l, keep) })
}

func (m *mortal) SetNotificationLimits(job jobobject.Handle, n *jobobject.NotificationLimits) error {
	return m.moment("SetNotificationLimits", func() error { return m.Kernel.SetNotificationLimits(job, n) })
}

func (m *mortal) EnableIOAttribution(job jobobject.Handle) error {
	return m.moment("EnableIOAttribution", func() error { return m.Kernel.EnableIOAttribution(job) })
}

func (m *mortal) Freeze(job jobobject.Handle, frozen bool) error {
	return m.moment("Freeze", func() error { return m.Kernel.Freeze(job, frozen) })
}

func (m *mortal) CreatePort() (jobobject.Handle, error) {
	return m.opening("CreatePort", true, m.Kernel.CreatePort)
}

func (m *mortal) AssociatePort(job, port jobobject.Handle, key uintptr) error {
	return m.moment("AssociatePort", func() error { return m.Kernel.AssociatePort(job, port, key) })
}

func (m *mortal) CreateProcess(job jobobject.Handle, o *jobobject.ProcessOptions) (h jobobject.Handle, pid uint32, err error) {
	h, err = m.opening("CreateProcess", false, func() (jobobject.Handle, error) {
		h, pid, err = m.Kernel.CreateProcess(job, o)
		return h, err
	})
	return h, pid, err
}

func (m *mortal) OpenProcess(pid uint32, access jobobject.ProcessAccess) (jobobject.Handle, error) {
	return m.opening("OpenProcess", false, func() (jobobject.Handle, error) { return m.Kernel.OpenProcess(pid, access) })
}

func (m *mortal) TerminateProcess(process jobobject.Handle, code uint32) error {
	return m.moment("TerminateProcess", func() error { return m.Kernel.TerminateProcess(process, code) })
}

func (m *mortal) WatchExit(process jobobject.Handle) (exited <-chan struct{}, stop func(), err error) {
	err = m.moment("WatchExit", func() error {
		exited, stop, err = m.Kernel.WatchExit(process)
		return err
	})
	return exited, stop, err
}
