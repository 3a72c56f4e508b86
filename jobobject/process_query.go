package jobobject

import "time"

// ProcessMemory is the memory of one process, in bytes. All of it is zero once
// the process has ended.
//
// https://learn.microsoft.com/windows/win32/api/psapi/ns-psapi-process_memory_counters_ex2
type ProcessMemory struct {
	Commit            uint64 // private memory that is promised to it
	WorkingSet        uint64 // resident memory, shared pages included
	PrivateWorkingSet uint64 // resident memory that is its own; see PrivateKnown
	PageFaults        uint32 // wraps around
	// PrivateKnown is false on kernels that do not tell the private working set.
	PrivateKnown bool
}

// ProcessTimes are the moment of creation and the processor time of one process.
//
// https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getprocesstimes
type ProcessTimes struct {
	Created      time.Time     // in steps of 100 ns; with the pid it names one process for ever
	User, Kernel time.Duration // in steps of 100 ns
}

// SystemProcess is one process in the list of the whole machine.
//
// https://learn.microsoft.com/windows/win32/api/winternl/nf-winternl-ntquerysysteminformation
type SystemProcess struct {
	Pid, Parent      uint32
	Image            string // empty for the idle process
	Threads, Handles uint32
	Times            ProcessTimes
	Memory           ProcessMemory
}
