package hcs

import (
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// HCS_OPERATION HcsCreateOperation(const void* context, HCS_OPERATION_COMPLETION callback)
//
// https://learn.microsoft.com/virtualization/api/hcs/reference/hcscreateoperation
//
// Without a callback: what completes at once may never call it, and a goroutine
// that waits for the result knows of every case.
func (computeCore) CreateOperation() (OperationHandle, error) {
	r, err := call(procHcsCreateOperation, 0, 0)
	if err == nil && r == 0 {
		err = CodeWin32OutOfMemory
	}
	return OperationHandle(r), err
}

// HRESULT HcsCancelOperation(HCS_OPERATION operation)
//
// https://learn.microsoft.com/virtualization/api/hcs/reference/hcscanceloperation
func (computeCore) CancelOperation(op OperationHandle) error {
	r, err := call(procHcsCancelOperation, uintptr(op))
	if err != nil {
		return err
	}
	return outcome(r, "")
}

// void HcsCloseOperation(HCS_OPERATION operation)
//
// https://learn.microsoft.com/virtualization/api/hcs/reference/hcscloseoperation
func (computeCore) CloseOperation(op OperationHandle) {
	_, _, _ = syscall.SyscallN(procHcsCloseOperation.Addr(), uintptr(op))
}

// HRESULT HcsWaitForOperationResult(HCS_OPERATION operation, DWORD timeoutMs, PWSTR* resultDocument)
//
// https://learn.microsoft.com/virtualization/api/hcs/reference/hcswaitforoperationresult
func (computeCore) WaitOperation(op OperationHandle) (string, error) {
	var document *uint16
	r, _, _ := syscall.SyscallN(procHcsWaitForOperationResult.Addr(), uintptr(op), windows.INFINITE,
		uintptr(unsafe.Pointer(&document)))
	return takenOutcome(r, document)
}

// HRESULT HcsWaitForOperationResultAndProcessInfo(HCS_OPERATION operation, DWORD timeoutMs,
// HCS_PROCESS_INFORMATION* processInformation, PWSTR* resultDocument)
//
// https://learn.microsoft.com/virtualization/api/hcs/reference/hcswaitforoperationresultandprocessinfo
func (computeCore) WaitProcessOperation(op OperationHandle) (ProcessInformation, error) {
	var (
		info     hcsProcessInformation
		document *uint16
	)
	r, _, _ := syscall.SyscallN(procHcsWaitForOperationResultAndProcessInfo.Addr(), uintptr(op), windows.INFINITE,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&document)))
	if _, err := takenOutcome(r, document); err != nil {
		return ProcessInformation{}, err
	}
	p := ProcessInformation{Pid: info.ProcessId}
	// A nil *os.File in an interface would not be nil any more.
	if f := pipe(info.StdInput, "stdin"); f != nil {
		p.Stdin = f
	}
	if f := pipe(info.StdOutput, "stdout"); f != nil {
		p.Stdout = f
	}
	if f := pipe(info.StdError, "stderr"); f != nil {
		p.Stderr = f
	}
	return p, nil
}

// pipe takes over the handle of a pipe, which the service opens for asynchronous
// use. A stream that was not asked for is zero or INVALID_HANDLE_VALUE.
func pipe(h uintptr, name string) *os.File {
	if h == 0 || windows.Handle(h) == windows.InvalidHandle {
		return nil
	}
	return os.NewFile(h, name)
}

// HRESULT HcsEnumerateComputeSystems(PCWSTR query, HCS_OPERATION operation)
//
// https://learn.microsoft.com/virtualization/api/hcs/reference/hcsenumeratecomputesystems
func (computeCore) EnumerateSystems(op OperationHandle, query string) error {
	q, err := text(query)
	if err != nil {
		return err
	}
	return submit(op, procHcsEnumerateComputeSystems, uintptr(unsafe.Pointer(q)), uintptr(op))
}

// HRESULT HcsGetServiceProperties(PCWSTR propertyQuery, PWSTR* result)
//
// https://learn.microsoft.com/virtualization/api/hcs/reference/hcsgetserviceproperties
func (computeCore) ServiceProperties(query string) (string, error) {
	return callService(procHcsGetServiceProperties, query)
}

// HRESULT HcsModifyServiceSettings(PCWSTR settings, PWSTR* result)
//
// https://learn.microsoft.com/virtualization/api/hcs/reference/hcsmodifyservicesettings
func (computeCore) ModifyServiceSettings(document string) (string, error) {
	return callService(procHcsModifyServiceSettings, document)
}

func callService(p *windows.LazyProc, document string) (string, error) {
	d, err := text(document)
	if err != nil {
		return "", err
	}
	var answer *uint16
	r, err := call(p, uintptr(unsafe.Pointer(d)), uintptr(unsafe.Pointer(&answer)))
	if err != nil {
		return "", err
	}
	return takenOutcome(r, answer)
}
