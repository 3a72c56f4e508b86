package hcs

import (
	"syscall"
	"unsafe"
)

// HRESULT HcsCreateProcess(HCS_SYSTEM computeSystem, PCWSTR processParameters, HCS_OPERATION operation,
// const SECURITY_DESCRIPTOR* securityDescriptor, HCS_PROCESS* process)
//
// https://learn.microsoft.com/virtualization/api/hcs/reference/hcscreateprocess
func (computeCore) CreateProcess(op OperationHandle, s SystemHandle, document string) (ProcessHandle, error) {
	d, err := text(document)
	if err != nil {
		return 0, err
	}
	var p ProcessHandle
	err = submit(op, procHcsCreateProcess, uintptr(s), uintptr(unsafe.Pointer(d)), uintptr(op), 0, uintptr(unsafe.Pointer(&p)))
	return p, err
}

// HRESULT HcsOpenProcess(HCS_SYSTEM computeSystem, DWORD processId, DWORD requestedAccess, HCS_PROCESS* process)
//
// https://learn.microsoft.com/virtualization/api/hcs/reference/hcsopenprocess
func (computeCore) OpenProcess(s SystemHandle, pid, access uint32) (ProcessHandle, error) {
	var p ProcessHandle
	r, err := call(procHcsOpenProcess, uintptr(s), uintptr(pid), uintptr(access), uintptr(unsafe.Pointer(&p)))
	if err != nil {
		return 0, err
	}
	return p, outcome(r, "")
}

// void HcsCloseProcess(HCS_PROCESS process)
//
// https://learn.microsoft.com/virtualization/api/hcs/reference/hcscloseprocess
func (computeCore) CloseProcess(p ProcessHandle) {
	id := processCallbacks.take(uintptr(p))
	_, _, _ = syscall.SyscallN(procHcsCloseProcess.Addr(), uintptr(p))
	removeReceiver(id)
}

func (computeCore) CallProcess(op OperationHandle, p ProcessHandle, call ProcessCall, document string) error {
	d, err := text(document)
	if err != nil {
		return err
	}
	if call == CallProcessInfo {
		return submit(op, procProcessCalls[call], uintptr(p), uintptr(op))
	}
	return submit(op, procProcessCalls[call], uintptr(p), uintptr(op), uintptr(unsafe.Pointer(d)))
}

// HRESULT HcsSetProcessCallback(HCS_PROCESS process, HCS_EVENT_OPTIONS callbackOptions,
// const void* context, HCS_EVENT_CALLBACK callback)
//
// https://learn.microsoft.com/virtualization/api/hcs/reference/hcssetprocesscallback
func (computeCore) SetProcessCallback(p ProcessHandle, notify func(Notification)) error {
	return processCallbacks.set(procHcsSetProcessCallback, uintptr(p), notify)
}
