package hcs

import (
	"io"
	"structs"

	"github.com/siloshim/siloshim/internal/seal"
)

// Handles of a [Service]. Zero is no handle.
type (
	// SystemHandle is an open compute system.
	SystemHandle uintptr
	// ProcessHandle is an open process of a compute system.
	ProcessHandle uintptr
	// OperationHandle is an operation, which tracks one asynchronous call.
	OperationHandle uintptr
)

// accessAll is the access of every handle: the service supports no other.
const accessAll uint32 = 0x10000000 // GENERIC_ALL

// Service is what this package needs of the Host Compute Service: the calls of
// computecore.dll, typed, without an unsafe pointer, and with documents as JSON.
// [ComputeCore] is the service of this machine; package hcstest has a simulated
// one. Programs set it in a [Client] and have no other use for its methods.
//
// The interface is sealed: only types of this module implement it, so a later
// version may have more methods. A test can embed a Service in a struct and
// override some methods.
//
// All methods are safe for concurrent use. Most calls are asynchronous: the call
// submits, and a Wait for its operation returns the result. Each call may block
// without a bound. What the service refuses is a [Code], or a *[Failure] if the
// service sent a document with it.
type Service interface {
	// Sealed does nothing.
	Sealed(seal.Marker)

	// CreateOperation makes the operation of one asynchronous call.
	CreateOperation() (OperationHandle, error)
	// CancelOperation asks for an early end of the call that op tracks.
	CancelOperation(op OperationHandle) error
	CloseOperation(op OperationHandle)
	// WaitOperation blocks until op is complete and returns its document.
	WaitOperation(op OperationHandle) (document string, err error)
	// WaitProcessOperation is WaitOperation after CreateProcess and ProcessInfo.
	WaitProcessOperation(op OperationHandle) (ProcessInformation, error)

	EnumerateSystems(op OperationHandle, query string) error
	// CreateSystem returns a handle that is to be closed even if op fails later.
	CreateSystem(op OperationHandle, id, document string) (SystemHandle, error)
	OpenSystem(id string, access uint32) (SystemHandle, error)
	// CloseSystem returns when no callback of the handle runs or will run.
	CloseSystem(s SystemHandle)
	CallSystem(op OperationHandle, s SystemHandle, call SystemCall, document string) error
	// SetSystemCallback makes the service call notify on one of its threads with
	// each event of the system, and with an exit from before the call. A handle has
	// one callback at most. notify must not block.
	SetSystemCallback(s SystemHandle, notify func(Notification)) error

	// CreateProcess returns a handle that is to be closed even if op fails later.
	CreateProcess(op OperationHandle, s SystemHandle, document string) (ProcessHandle, error)
	OpenProcess(s SystemHandle, pid uint32, access uint32) (ProcessHandle, error)
	// CloseProcess returns when no callback of the handle runs or will run.
	CloseProcess(p ProcessHandle)
	CallProcess(op OperationHandle, p ProcessHandle, call ProcessCall, document string) error
	SetProcessCallback(p ProcessHandle, notify func(Notification)) error

	ServiceProperties(query string) (document string, err error)
	ModifyServiceSettings(document string) (answer string, err error)
}

// SystemCall is a function of the service that takes a system and a document.
type SystemCall uint8

const (
	CallStartSystem     SystemCall = iota
	CallShutDownSystem             // by request to its programs
	CallTerminateSystem            // at once
	CallPauseSystem
	CallResumeSystem
	CallSystemProperties // [schema.PropertyQuery]; the answer is [schema.Properties]
	CallModifySystem     // [schema.ModifySettingRequest]
)

var systemCalls = [...]string{
	CallStartSystem: "StartSystem", CallShutDownSystem: "ShutDownSystem", CallTerminateSystem: "TerminateSystem",
	CallPauseSystem: "PauseSystem", CallResumeSystem: "ResumeSystem", CallSystemProperties: "SystemProperties", CallModifySystem: "ModifySystem",
}

func (c SystemCall) String() string { return systemCalls[c] }

// ProcessCall is a function of the service that takes a process and a document.
type ProcessCall uint8

const (
	CallTerminateProcess  ProcessCall = iota
	CallSignalProcess                 // [schema.SignalProcessOptions]
	CallProcessInfo                   // no document; answered to WaitProcessOperation
	CallProcessProperties             // the answer is a [schema.ProcessStatus]
	CallModifyProcess                 // [schema.ProcessModifyRequest]
)

var processCalls = [...]string{
	CallTerminateProcess: "TerminateProcess", CallSignalProcess: "SignalProcess", CallProcessInfo: "ProcessInfo",
	CallProcessProperties: "ProcessProperties", CallModifyProcess: "ModifyProcess",
}

func (c ProcessCall) String() string { return processCalls[c] }

// ProcessInformation is the service's answer to the creation of a process. The
// streams are our ends of pipes, nil for those that were not requested.
type ProcessInformation struct {
	Pid    uint32
	Stdin  io.WriteCloser
	Stdout io.ReadCloser
	Stderr io.ReadCloser
}

// Failure is a code with the document that the service sent with it, a
// [schema.ResultError].
type Failure struct {
	Code     Code
	Document string
}

func (f *Failure) Error() string { return f.Code.Error() }
func (f *Failure) Unwrap() error { return f.Code }

// ComputeCore returns the service of this machine, behind computecore.dll. Where
// there is none every call returns [ErrUnavailable]; on other operating systems
// than Windows it returns [ErrNotSupported].
func ComputeCore() Service { return computeCore{} }

// computeCore implements Service, per operating system.
type computeCore struct{ seal.Marker }

// hcsEvent is what a callback gets.
//
//	typedef struct HCS_EVENT {
//	    HCS_EVENT_TYPE Type;
//	    PCWSTR         EventData;
//	    HCS_OPERATION  Operation;
//	} HCS_EVENT;
//
// https://learn.microsoft.com/virtualization/api/hcs/reference/hcs_event
type hcsEvent struct {
	_         structs.HostLayout
	Type      uint32
	EventData *uint16
	Operation uintptr
}

// hcsProcessInformation is what an operation knows of a new process.
//
//	typedef struct {
//	    DWORD  ProcessId;
//	    DWORD  Reserved;
//	    HANDLE StdInput;
//	    HANDLE StdOutput;
//	    HANDLE StdError;
//	} HCS_PROCESS_INFORMATION;
//
// https://learn.microsoft.com/virtualization/api/hcs/reference/hcs_process_information
type hcsProcessInformation struct {
	_         structs.HostLayout
	ProcessId uint32
	Reserved  uint32
	StdInput  uintptr
	StdOutput uintptr
	StdError  uintptr
}
