package service_test

import (
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// mortal is the kernel as one shim process sees it that has a fuse. Calls that only look are no moments of their own: a
// death at one leaves what a death after the call before it does.
type mortal struct {
	*jobtest.Kernel
	// Immutable.
	fuse *fuse
	// onJob is called when a job has been made.
	onJob func(name string)
}

func newMortal(k *jobtest.Kernel, f *fuse) *mortal {
	return &mortal{Kernel: k, fuse: f, onJob: func(string) {}}
}

func (m *mortal) moment(name string, call func() error) error {
	return m.fuse.call("kernel "+name, call)
}

// opening is a call that opens a handle. A message wakes the reader of a port, which a real process would not outlive.
func (m *mortal) opening(name string, port bool, call func() (jobobject.Handle, error)) (h jobobject.Handle, err error) {
	err = m.moment(name, func() error {
		if h, err = call(); err == nil {
			m.fuse.keep(h, func() {
				if port {
					_ = m.PostPort(h, 0, 0) // its reader ends with the handle at the latest
				}
				_ = m.Kernel.CloseHandle(h) // the kernel closes what there is
			})
		}
		return err
	})
	return h, err
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
		m.fuse.forget(h)
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
		h, pid, err = blunt{m.Kernel}.CreateProcess(job, o)
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

// blunt is the simulated kernel for a job container with files and users of its own, of which it knows nothing.
type blunt struct{ *jobtest.Kernel }

func (k blunt) CreateProcess(job jobobject.Handle, o *jobobject.ProcessOptions) (jobobject.Handle, uint32, error) {
	simulated := *o
	if o.Token != 0 {
		simulated.Application, simulated.CommandLine, simulated.Token = "", "workload.exe sleep", 0
	}
	return k.Kernel.CreateProcess(job, &simulated)
}
