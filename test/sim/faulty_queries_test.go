package sim_test

import (
	"io"

	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/jobobject"
)

// queryFaultyKernel is a faultyKernel whose queries have points too.
type queryFaultyKernel struct{ *faultyKernel }

// callWithResult makes a call with a result.
func callWithResult[T any](f *injector, name string, do func() (T, error)) (v T, err error) {
	err = f.call(name, func() error {
		v, err = do()
		return err
	})
	return v, err
}

func (w *queryFaultyKernel) IsProcessInJob(process, job jobobject.Handle) (bool, error) {
	return callWithResult(w.injector, "kernel IsProcessInJob", func() (bool, error) { return w.Kernel.IsProcessInJob(process, job) })
}

func (w *queryFaultyKernel) Accounting(job jobobject.Handle) (jobobject.Accounting, error) {
	return callWithResult(w.injector, "kernel Accounting", func() (jobobject.Accounting, error) { return w.Kernel.Accounting(job) })
}

func (w *queryFaultyKernel) MemoryUsage(job jobobject.Handle) (jobobject.MemoryUsage, error) {
	return callWithResult(w.injector, "kernel MemoryUsage", func() (jobobject.MemoryUsage, error) { return w.Kernel.MemoryUsage(job) })
}

func (w *queryFaultyKernel) IOAttribution(job jobobject.Handle) (jobobject.IOAttribution, error) {
	return callWithResult(w.injector, "kernel IOAttribution", func() (jobobject.IOAttribution, error) { return w.Kernel.IOAttribution(job) })
}

func (w *queryFaultyKernel) NotificationLimits(job jobobject.Handle) (jobobject.NotificationLimits, error) {
	return callWithResult(w.injector, "kernel NotificationLimits", func() (jobobject.NotificationLimits, error) { return w.Kernel.NotificationLimits(job) })
}

func (w *queryFaultyKernel) LimitViolation(job jobobject.Handle) (jobobject.Violation, error) {
	return callWithResult(w.injector, "kernel LimitViolation", func() (jobobject.Violation, error) { return w.Kernel.LimitViolation(job) })
}

func (w *queryFaultyKernel) ProcessMemory(p jobobject.Handle) (jobobject.ProcessMemory, error) {
	return callWithResult(w.injector, "kernel ProcessMemory", func() (jobobject.ProcessMemory, error) { return w.Kernel.ProcessMemory(p) })
}

func (w *queryFaultyKernel) ProcessTimes(p jobobject.Handle) (jobobject.ProcessTimes, error) {
	return callWithResult(w.injector, "kernel ProcessTimes", func() (jobobject.ProcessTimes, error) { return w.Kernel.ProcessTimes(p) })
}

func (w *queryFaultyKernel) ProcessImage(p jobobject.Handle) (string, error) {
	return callWithResult(w.injector, "kernel ProcessImage", func() (string, error) { return w.Kernel.ProcessImage(p) })
}

func (w *queryFaultyKernel) ProcessParent(p jobobject.Handle) (uint32, error) {
	return callWithResult(w.injector, "kernel ProcessParent", func() (uint32, error) { return w.Kernel.ProcessParent(p) })
}

func (w *queryFaultyKernel) ProcessHandles(p jobobject.Handle) (uint32, error) {
	return callWithResult(w.injector, "kernel ProcessHandles", func() (uint32, error) { return w.Kernel.ProcessHandles(p) })
}

func (w *queryFaultyKernel) ProcessIDs(job jobobject.Handle, pids []uint32) (listed, assigned int, err error) {
	err = w.atPoint("ProcessIDs", func() error {
		listed, assigned, err = w.Kernel.ProcessIDs(job, pids)
		return err
	})
	return listed, assigned, err
}

func (w *queryFaultyKernel) QueryLimits(job jobobject.Handle, part jobobject.LimitPart, l *jobobject.Limits) error {
	return w.atPoint("QueryLimits", func() error { return w.Kernel.QueryLimits(job, part, l) })
}

func (w *queryFaultyKernel) SignalProcess(p jobobject.Handle, event jobobject.ConsoleEvent) error {
	return w.atPoint("SignalProcess", func() error { return w.Kernel.SignalProcess(p, event) })
}

func (w *queryFaultyKernel) ExitCode(p jobobject.Handle) (code uint32, exited bool, err error) {
	err = w.atPoint("ExitCode", func() error {
		code, exited, err = w.Kernel.ExitCode(p)
		return err
	})
	return code, exited, err
}

func (w *queryFaultyKernel) CreateConsole(width, height uint16) (h jobobject.Handle, in io.WriteCloser, out io.ReadCloser, err error) {
	err = w.atPoint("CreateConsole", func() error {
		h, in, out, err = w.Kernel.CreateConsole(width, height)
		return err
	})
	return h, in, out, err
}

func (w *queryFaultyKernel) CloseConsole(h jobobject.Handle) {
	_ = w.atPoint("CloseConsole", func() error { // it returns nothing
		w.Kernel.CloseConsole(h)
		return nil
	})
}

// queryFaultyService is a faultyService whose queries have points too.
type queryFaultyService struct{ *faultyService }

func (w *queryFaultyService) CreateOperation() (hcs.OperationHandle, error) {
	return callWithResult(w.injector, "service CreateOperation", w.Service.CreateOperation)
}

func (w *queryFaultyService) WaitOperation(op hcs.OperationHandle) (string, error) {
	return callWithResult(w.injector, "service WaitOperation", func() (string, error) { return w.Service.WaitOperation(op) })
}

func (w *queryFaultyService) WaitProcessOperation(op hcs.OperationHandle) (hcs.ProcessInformation, error) {
	return callWithResult(w.injector, "service WaitProcessOperation", func() (hcs.ProcessInformation, error) { return w.Service.WaitProcessOperation(op) })
}

func (w *queryFaultyService) CallSystem(op hcs.OperationHandle, h hcs.SystemHandle, call hcs.SystemCall, document string) error {
	return w.atPoint(call.String(), func() error { return w.Service.CallSystem(op, h, call, document) })
}

func (w *queryFaultyService) ServiceProperties(query string) (string, error) {
	return callWithResult(w.injector, "service ServiceProperties", func() (string, error) { return w.Service.ServiceProperties(query) })
}
