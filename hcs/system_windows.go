package hcs

import (
	"syscall"
	"unsafe"
)

// HRESULT HcsCreateComputeSystem(PCWSTR id, PCWSTR configuration, HCS_OPERATION operation,
// const SECURITY_DESCRIPTOR* securityDescriptor, HCS_SYSTEM* computeSystem)
//
// https://learn.microsoft.com/virtualization/api/hcs/reference/hcscreatecomputesystem
func (computeCore) CreateSystem(op OperationHandle, id, document string) (SystemHandle, error) {
	i, err := text(id)
	if err != nil {
		return 0, err
	}
	d, err := text(document)
	if err != nil {
		return 0, err
	}
	var s SystemHandle
	err = submit(op, procHcsCreateComputeSystem, uintptr(unsafe.Pointer(i)), uintptr(unsafe.Pointer(d)), uintptr(op), 0, uintptr(unsafe.Pointer(&s)))
	return s, err
}

// HRESULT HcsOpenComputeSystem(PCWSTR id, DWORD requestedAccess, HCS_SYSTEM* computeSystem)
//
// https://learn.microsoft.com/virtualization/api/hcs/reference/hcsopencomputesystem
func (computeCore) OpenSystem(id string, access uint32) (SystemHandle, error) {
	i, err := text(id)
	if err != nil {
		return 0, err
	}
	var s SystemHandle
	r, err := call(procHcsOpenComputeSystem, uintptr(unsafe.Pointer(i)), uintptr(access), uintptr(unsafe.Pointer(&s)))
	if err != nil {
		return 0, err
	}
	return s, outcome(r, "")
}

// void HcsCloseComputeSystem(HCS_SYSTEM computeSystem)
//
// https://learn.microsoft.com/virtualization/api/hcs/reference/hcsclosecomputesystem
func (computeCore) CloseSystem(s SystemHandle) {
	id := systemCallbacks.take(uintptr(s))
	_, _, _ = syscall.SyscallN(procHcsCloseComputeSystem.Addr(), uintptr(s))
	removeReceiver(id)
}

func (computeCore) CallSystem(op OperationHandle, s SystemHandle, call SystemCall, document string) error {
	d, err := text(document)
	if err != nil {
		return err
	}
	if call == CallModifySystem {
		return submit(op, procSystemCalls[call], uintptr(s), uintptr(op), uintptr(unsafe.Pointer(d)), 0)
	}
	return submit(op, procSystemCalls[call], uintptr(s), uintptr(op), uintptr(unsafe.Pointer(d)))
}

// HRESULT HcsSetComputeSystemCallback(HCS_SYSTEM computeSystem, HCS_EVENT_OPTIONS callbackOptions,
// const void* context, HCS_EVENT_CALLBACK callback)
//
// https://learn.microsoft.com/virtualization/api/hcs/reference/hcssetcomputesystemcallback
func (computeCore) SetSystemCallback(s SystemHandle, notify func(Notification)) error {
	return systemCallbacks.set(procHcsSetComputeSystemCallback, uintptr(s), notify)
}
