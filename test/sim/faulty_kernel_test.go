package sim_test

import (
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// faultyKernel is the kernel of a shim with an injector. Queries have no points: an exit at a query leaves the same as an
// exit after the call before it.
type faultyKernel struct {
	*jobtest.Kernel
	// Immutable.
	injector *injector
	// onJob is called when a job was created.
	onJob func(name string)
}

func newFaultyKernel(kernel *jobtest.Kernel, f *injector) *faultyKernel {
	return &faultyKernel{Kernel: kernel, injector: f, onJob: func(string) {}}
}

func (k *faultyKernel) atPoint(name string, call func() error) error {
	return k.injector.call("kernel "+name, call)
}

// opening makes a call that opens a handle. At the exit a message wakes the reader of a port, so that its goroutine ends.
func (k *faultyKernel) opening(name string, port bool, call func() (jobobject.Handle, error)) (h jobobject.Handle, err error) {
	err = k.atPoint(name, func() error {
		if h, err = call(); err == nil {
			k.injector.opened(h, func() {
				if port {
					_ = k.PostPort(h, 0, 0) // without a reader it fails
				}
				_ = k.Kernel.CloseHandle(h) // the shim may have closed it
			})
		}
		return err
	})
	return h, err
}

func (k *faultyKernel) CreateJob(name, sd string) (jobobject.Handle, error) {
	h, err := k.opening("CreateJob", false, func() (jobobject.Handle, error) {
		h, err := k.Kernel.CreateJob(name, sd)
		if err == nil {
			k.onJob(name)
		}
		return h, err
	})
	return h, err
}

func (k *faultyKernel) OpenJob(name string, access jobobject.Access) (jobobject.Handle, error) {
	return k.opening("OpenJob", false, func() (jobobject.Handle, error) { return k.Kernel.OpenJob(name, access) })
}

func (k *faultyKernel) CloseHandle(h jobobject.Handle) error {
	return k.atPoint("CloseHandle", func() error {
		k.injector.closed(h)
		return k.Kernel.CloseHandle(h)
	})
}

func (k *faultyKernel) TerminateJob(job jobobject.Handle, code uint32) error {
	return k.atPoint("TerminateJob", func() error { return k.Kernel.TerminateJob(job, code) })
}

func (k *faultyKernel) SetLimits(job jobobject.Handle, part jobobject.LimitPart, l *jobobject.Limits, keep bool) error {
	return k.atPoint("SetLimits", func() error { return k.Kernel.SetLimits(job, part, l, keep) })
}

func (k *faultyKernel) SetNotificationLimits(job jobobject.Handle, n *jobobject.NotificationLimits) error {
	return k.atPoint("SetNotificationLimits", func() error { return k.Kernel.SetNotificationLimits(job, n) })
}

func (k *faultyKernel) EnableIOAttribution(job jobobject.Handle) error {
	return k.atPoint("EnableIOAttribution", func() error { return k.Kernel.EnableIOAttribution(job) })
}

func (k *faultyKernel) Freeze(job jobobject.Handle, frozen bool) error {
	return k.atPoint("Freeze", func() error { return k.Kernel.Freeze(job, frozen) })
}

func (k *faultyKernel) CreatePort() (jobobject.Handle, error) {
	return k.opening("CreatePort", true, k.Kernel.CreatePort)
}

func (k *faultyKernel) AssociatePort(job, port jobobject.Handle, key uintptr) error {
	return k.atPoint("AssociatePort", func() error { return k.Kernel.AssociatePort(job, port, key) })
}

func (k *faultyKernel) CreateProcess(job jobobject.Handle, o *jobobject.ProcessOptions) (h jobobject.Handle, pid uint32, err error) {
	h, err = k.opening("CreateProcess", false, func() (jobobject.Handle, error) {
		h, pid, err = tokenlessKernel{k.Kernel}.CreateProcess(job, o)
		return h, err
	})
	return h, pid, err
}

func (k *faultyKernel) OpenProcess(pid uint32, access jobobject.ProcessAccess) (jobobject.Handle, error) {
	return k.opening("OpenProcess", false, func() (jobobject.Handle, error) { return k.Kernel.OpenProcess(pid, access) })
}

func (k *faultyKernel) TerminateProcess(process jobobject.Handle, code uint32) error {
	return k.atPoint("TerminateProcess", func() error { return k.Kernel.TerminateProcess(process, code) })
}

func (k *faultyKernel) WatchExit(process jobobject.Handle) (exited <-chan struct{}, stop func(), err error) {
	err = k.atPoint("WatchExit", func() error {
		exited, stop, err = k.Kernel.WatchExit(process)
		return err
	})
	return exited, stop, err
}

// tokenlessKernel starts the simulated program for a process with a token: the simulated kernel has no users and files.
type tokenlessKernel struct{ *jobtest.Kernel }

func (k tokenlessKernel) CreateProcess(job jobobject.Handle, o *jobobject.ProcessOptions) (jobobject.Handle, uint32, error) {
	simulated := *o
	if o.Token != 0 {
		simulated.Application, simulated.CommandLine, simulated.Token = "", "workload.exe sleep", 0
	}
	return k.Kernel.CreateProcess(job, &simulated)
}
