package main

import "C"

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/siloshim/siloshim/hcs"
)

// hcsEvent is HCS_EVENT.
type hcsEvent struct {
	kind      uint32
	data      *uint16
	operation uintptr
}

// processInformation is HCS_PROCESS_INFORMATION.
type processInformation struct {
	pid, reserved         uint32
	stdin, stdout, stderr uintptr
}

// notifier calls a callback on any thread.
func notifier(callback, context uintptr) func(event) {
	return func(e event) {
		data, err := windows.UTF16PtrFromString(e.document)
		if err != nil {
			return // documents have no zero characters
		}
		raw := &hcsEvent{kind: uint32(e.kind), data: data}
		syscall.SyscallN(callback, uintptr(unsafe.Pointer(raw)), context)
	}
}

// result is the HRESULT of an error.
func result(err error) int32 { return int32(codeOf(err)) }

// give sets *out to a copy of s, which the caller frees.
func give(out **uint16, s string) {
	if out == nil {
		return
	}
	*out = nil
	if s == "" {
		return
	}
	text, err := windows.UTF16FromString(s)
	if err != nil {
		return
	}
	size := uint32(len(text) * 2)
	p, err := windows.LocalAlloc(windows.LMEM_FIXED, size)
	if err != nil {
		return
	}
	copy(unsafe.Slice((*uint16)(unsafe.Add(unsafe.Pointer(nil), p)), len(text)), text)
	*out = (*uint16)(unsafe.Add(unsafe.Pointer(nil), p))
}

func text(p *uint16) string { return windows.UTF16PtrToString(p) }

// await waits for an operation. It ignores the caller's timeout, because every operation ends.
func await(op uintptr, out **uint16) (*operation, int32) {
	o := operationOf(op)
	if o == nil {
		return nil, result(hcs.CodeWin32InvalidHandle)
	}
	<-o.done
	give(out, o.document)
	return o, int32(o.code)
}

//export HcsCreateOperation
func HcsCreateOperation(context, callback uintptr) uintptr { return newOperation() }

//export HcsCloseOperation
func HcsCloseOperation(op uintptr) { closeOperation(op) }

//export HcsCancelOperation
func HcsCancelOperation(uintptr) int32 { return 0 }

//export HcsGetOperationResult
func HcsGetOperationResult(_ uintptr, out **uint16) int32 {
	give(out, "")
	return 0
}

//export HcsWaitForOperationResult
func HcsWaitForOperationResult(op uintptr, _ uint32, out **uint16) int32 {
	_, code := await(op, out)
	return code
}

//export HcsWaitForOperationResultAndProcessInfo
func HcsWaitForOperationResultAndProcessInfo(op uintptr, _ uint32, info unsafe.Pointer, out **uint16) int32 {
	o, code := await(op, out)
	if o != nil && info != nil {
		*(*processInformation)(info) = processInformation{pid: o.info.pid, stdin: o.info.stdin, stdout: o.info.stdout, stderr: o.info.stderr}
	}
	return code
}

//export HcsEnumerateComputeSystems
func HcsEnumerateComputeSystems(query *uint16, op uintptr) int32 {
	q := text(query)
	note("HcsEnumerateComputeSystems", q)
	return result(begin(op, func(*operation) (string, error) { return enumerate(q) }))
}

//export HcsGetServiceProperties
func HcsGetServiceProperties(query *uint16, out **uint16) int32 {
	note("HcsGetServiceProperties", text(query))
	return answer(out)(serviceProperties(text(query)))
}

//export HcsModifyServiceSettings
func HcsModifyServiceSettings(settings *uint16, out **uint16) int32 {
	note("HcsModifyServiceSettings")
	return answer(out)(modifyService(text(settings)))
}

// answer returns a document, or that of the failure.
func answer(out **uint16) func(string, error) int32 {
	return func(document string, err error) int32 {
		if err != nil {
			document = failureOf(err)
		}
		give(out, document)
		return result(err)
	}
}

//export HcsSetComputeSystemCallback
func HcsSetComputeSystemCallback(h uintptr, _ uint32, context, callback uintptr) int32 {
	return result(subscribe(h, notifier(callback, context)))
}

//export HcsSetProcessCallback
func HcsSetProcessCallback(h uintptr, _ uint32, context, callback uintptr) int32 {
	return result(subscribe(h, notifier(callback, context)))
}
