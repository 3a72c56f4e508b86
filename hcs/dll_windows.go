package hcs

import (
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/siloshim/siloshim/internal/winsys"
)

// The functions of computecore.dll. It is in System32 of every Windows that has
// the feature, since Windows 10 1809 and Windows Server 2019, and is loaded at
// the first call.
var (
	modcomputecore = windows.NewLazySystemDLL("computecore.dll")

	procHcsCreateOperation                      = modcomputecore.NewProc("HcsCreateOperation")
	procHcsCloseOperation                       = modcomputecore.NewProc("HcsCloseOperation")
	procHcsCancelOperation                      = modcomputecore.NewProc("HcsCancelOperation")
	procHcsGetOperationResult                   = modcomputecore.NewProc("HcsGetOperationResult")
	procHcsWaitForOperationResult               = modcomputecore.NewProc("HcsWaitForOperationResult")
	procHcsWaitForOperationResultAndProcessInfo = modcomputecore.NewProc("HcsWaitForOperationResultAndProcessInfo")
	procHcsEnumerateComputeSystems              = modcomputecore.NewProc("HcsEnumerateComputeSystems")
	procHcsCreateComputeSystem                  = modcomputecore.NewProc("HcsCreateComputeSystem")
	procHcsOpenComputeSystem                    = modcomputecore.NewProc("HcsOpenComputeSystem")
	procHcsCloseComputeSystem                   = modcomputecore.NewProc("HcsCloseComputeSystem")
	procHcsSetComputeSystemCallback             = modcomputecore.NewProc("HcsSetComputeSystemCallback")
	procHcsCreateProcess                        = modcomputecore.NewProc("HcsCreateProcess")
	procHcsOpenProcess                          = modcomputecore.NewProc("HcsOpenProcess")
	procHcsCloseProcess                         = modcomputecore.NewProc("HcsCloseProcess")
	procHcsSetProcessCallback                   = modcomputecore.NewProc("HcsSetProcessCallback")
	procHcsGetServiceProperties                 = modcomputecore.NewProc("HcsGetServiceProperties")
	procHcsModifyServiceSettings                = modcomputecore.NewProc("HcsModifyServiceSettings")
)

// HRESULT function(HCS_SYSTEM computeSystem, HCS_OPERATION operation, PCWSTR document), but for
// HcsModifyComputeSystem, which has a HANDLE identity at its end.
var procSystemCalls = [...]*windows.LazyProc{
	CallStartSystem:      modcomputecore.NewProc("HcsStartComputeSystem"),
	CallShutDownSystem:   modcomputecore.NewProc("HcsShutDownComputeSystem"),
	CallTerminateSystem:  modcomputecore.NewProc("HcsTerminateComputeSystem"),
	CallPauseSystem:      modcomputecore.NewProc("HcsPauseComputeSystem"),
	CallResumeSystem:     modcomputecore.NewProc("HcsResumeComputeSystem"),
	CallSystemProperties: modcomputecore.NewProc("HcsGetComputeSystemProperties"),
	CallModifySystem:     modcomputecore.NewProc("HcsModifyComputeSystem"),
}

// HRESULT function(HCS_PROCESS process, HCS_OPERATION operation, PCWSTR document), but for
// HcsGetProcessInfo, which has no document.
var procProcessCalls = [...]*windows.LazyProc{
	CallTerminateProcess:  modcomputecore.NewProc("HcsTerminateProcess"),
	CallSignalProcess:     modcomputecore.NewProc("HcsSignalProcess"),
	CallProcessInfo:       modcomputecore.NewProc("HcsGetProcessInfo"),
	CallProcessProperties: modcomputecore.NewProc("HcsGetProcessProperties"),
	CallModifyProcess:     modcomputecore.NewProc("HcsModifyProcess"),
}

// call calls p, or returns CodeServiceNotAvailable where p does not exist. A pointer that is converted to uintptr in the
// argument list stays valid during the call.
//
//go:uintptrescapes
func call(p *windows.LazyProc, args ...uintptr) (uintptr, error) {
	if err := p.Find(); err != nil {
		return 0, fmt.Errorf("%w: %w", CodeServiceNotAvailable, err)
	}
	r, _, _ := syscall.SyscallN(p.Addr(), args...)
	return r, nil
}

// text makes a PCWSTR, NULL for the empty string.
func text(s string) (*uint16, error) {
	if s == "" {
		return nil, nil
	}
	p, err := windows.UTF16PtrFromString(s)
	if err != nil {
		return nil, fmt.Errorf("text with a zero character: %w", CodeWin32InvalidArgument)
	}
	return p, nil
}

// takeText frees a string of the service and returns a copy.
func takeText(p *uint16) (string, error) {
	if p == nil {
		return "", nil
	}
	s, err := winsys.Text(p)
	// The caller cannot do anything about a failure to free it.
	_, _ = windows.LocalFree(windows.Handle(unsafe.Pointer(p)))
	return s, err
}

// takenOutcome takes the document of a result, and makes an error of both. A document that is too long is an error unless the
// call has failed anyway.
func takenOutcome(r uintptr, document *uint16) (string, error) {
	answer, tooLong := takeText(document)
	if err := outcome(r, answer); err != nil {
		return answer, err
	}
	return answer, tooLong
}

// outcome makes an error of a result and its document.
func outcome(r uintptr, document string) error {
	c := Code(uint32(r))
	if !c.Failed() {
		return nil
	}
	if document == "" {
		return c
	}
	return &Failure{Code: c, Document: document}
}

// submit calls p for the operation op. A call that goes on in the background has not failed.
//
//go:uintptrescapes
func submit(op OperationHandle, p *windows.LazyProc, args ...uintptr) error {
	r, err := call(p, args...)
	if err != nil {
		return err
	}
	if c := Code(uint32(r)); !c.Failed() || c.Is(CodeOperationPending) || c.Is(oldPending) {
		return nil
	}
	var document *uint16
	_, _, _ = syscall.SyscallN(procHcsGetOperationResult.Addr(), uintptr(op), uintptr(unsafe.Pointer(&document)))
	_, err = takenOutcome(r, document)
	return err
}
