package hcs

import "structs"

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
