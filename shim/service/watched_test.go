package service_test

import (
	"io"

	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/jobobject"
)

// watched is a mortal kernel whose calls that only look have moments as well.
type watched struct{ *mortal }

// look makes a call with an answer.
func look[T any](f *fuse, name string, do func() (T, error)) (v T, err error) {
	err = f.call(name, func() error {
		v, err = do()
		return err
	})
	return v, err
}

func (w *watched) IsProcessInJob(process, job jobobject.Handle) (bool, error) {
	return look(w.fuse, "kernel IsProcessInJob", func() (bool, error) { return w.Kernel.IsProcessInJob(process, job) })
}

func (w *watched) Accounting(job jobobject.Handle) (jobobject.Accounting, error) {
	return look(w.fuse, "kernel Accounting", func() (jobobject.Accounting, error) { return w.Kernel.Accounting(job) })
}

func (w *watched) MemoryUsage(job jobobject.Handle) (jobobject.MemoryUsage, error) {
	return look(w.fuse, "kernel MemoryUsage", func() (jobobject.MemoryUsage, error) { return w.Kernel.MemoryUsage(job) })
}

func (w *watched) IOAttribution(job jobobject.Handle) (jobobject.IOAttribution, error) {
	return look(w.fuse, "kernel IOAttribution", func() (jobobject.IOAttribution, error) { return w.Kernel.IOAttribution(job) })
}

func (w *watched) NotificationLimits(job jobobject.Handle) (jobobject.NotificationLimits, error) {
	return look(w.fuse, "kernel NotificationLimits", func() (jobobject.NotificationLimits, error) { return w.Kernel.NotificationLimits(job) })
}

func (w *watched) LimitViolation(job jobobject.Handle) (jobobject.Violation, error) {
	return look(w.fuse, "kernel LimitViolation", func() (jobobject.Violation, error) { return w.Kernel.LimitViolation(job) })
}

func (w *watched) ProcessMemory(p jobobject.Handle) (jobobject.ProcessMemory, error) {
	return look(w.fuse, "kernel ProcessMemory", func() (jobobject.ProcessMemory, error) { return w.Kernel.ProcessMemory(p) })
}

func (w *watched) ProcessTimes(p jobobject.Handle) (jobobject.ProcessTimes, error) {
	return look(w.fuse, "kernel ProcessTimes", func() (jobobject.ProcessTimes, error) { return w.Kernel.ProcessTimes(p) })
}

func (w *watched) ProcessImage(p jobobject.Handle) (string, error) {
	return look(w.fuse, "kernel ProcessImage", func() (string, error) { return w.Kernel.ProcessImage(p) })
}

func (w *watched) ProcessParent(p jobobject.Handle) (uint32, error) {
	return look(w.fuse, "kernel ProcessParent", func() (uint32, error) { return w.Kernel.ProcessParent(p) })
}

func (w *watched) ProcessHandles(p jobobject.Handle) (uint32, error) {
	return look(w.fuse, "kernel ProcessHandles", func() (uint32, error) { return w.Kernel.ProcessHandles(p) })
}

func (w *watched) ProcessIDs(job jobobject.Handle, pids []uint32) (listed, assigned int, err error) {
	err = w.moment("ProcessIDs", func() error {
		listed, assigned, err = w.Kernel.ProcessIDs(job, pids)
		return err
	})
	return listed, assigned, err
}

func (w *watched) QueryLimits(job jobobject.Handle, part jobobject.LimitPart, l *jobobject.Limits) error {
	return w.moment("QueryLimits", func() error { return w.Kernel.QueryLimits(job, part, l) })
}

func (w *watched) SignalProcess(p jobobject.Handle, event jobobject.ConsoleEvent) error {
	return w.moment("SignalProcess", func() error { return w.Kernel.SignalProcess(p, event) })
}

func (w *watched) ExitCode(p jobobject.Handle) (code uint32, exited bool, err error) {
	err = w.moment("ExitCode", func() error {
		code, exited, err = w.Kernel.ExitCode(p)
		return err
	})
	return code, exited, err
}

func (w *watched) CreateConsole(width, height uint16) (h jobobject.Handle, in io.WriteCloser, out io.ReadCloser, err error) {
	err = w.moment("CreateConsole", func() error {
		h, in, out, err = w.Kernel.CreateConsole(width, height)
		return err
	})
	return h, in, out, err
}

func (w *watched) CloseConsole(h jobobject.Handle) {
	_ = w.moment("CloseConsole", func() error { // which tells nothing
		w.Kernel.CloseConsole(h)
		return nil
	})
}

// watchedService is a mortal service with the same.
type watchedService struct{ *mortalService }

func (w *watchedService) CreateOperation() (hcs.OperationHandle, error) {
	return look(w.fuse, "service CreateOperation", w.Service.CreateOperation)
}

func (w *watchedService) WaitOperation(op hcs.OperationHandle) (string, error) {
	return look(w.fuse, "service WaitOperation", func() (string, error) { return w.Service.WaitOperation(op) })
}

func (w *watchedService) WaitProcessOperation(op hcs.OperationHandle) (hcs.ProcessInformation, error) {
	return look(w.fuse, "service WaitProcessOperation", func() (hcs.ProcessInformation, error) { return w.Service.WaitProcessOperation(op) })
}

func (w *watchedService) CallSystem(op hcs.OperationHandle, h hcs.SystemHandle, call hcs.SystemCall, document string) error {
	return w.moment(call.String(), func() error { return w.Service.CallSystem(op, h, call, document) })
}

func (w *watchedService) ServiceProperties(query string) (string, error) {
	return look(w.fuse, "service ServiceProperties", func() (string, error) { return w.Service.ServiceProperties(query) })
}
