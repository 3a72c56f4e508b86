package jobobject

import (
	"time"
)

// Accounting is what the kernel has counted for a job since its creation, for
// members past and present, nested jobs included.
//
// https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-jobobject_basic_accounting_information
type Accounting struct {
	UserTime   time.Duration // in steps of 100 ns
	KernelTime time.Duration // in steps of 100 ns
	PageFaults uint32        // wraps around
	Total      uint32        // processes that ever were members
	Active     uint32        // processes that are members now
	Terminated uint32        // processes ended because of a limit
}

// MemoryUsage is the committed memory of a job.
type MemoryUsage struct {
	Commit     uint64 // bytes, now
	PeakCommit uint64 // bytes, at most so far
}

// IOAttribution is the storage traffic of a job: operations that reached a
// volume, not those that a cache or a pipe answered.
type IOAttribution struct {
	ReadCount, ReadBytes   uint64
	WriteCount, WriteBytes uint64
}

// IOCounters are what the members of a job have read, written and requested of files, pipes and devices, caches included.
// Other is what is neither a read nor a write, such as a control request.
//
// https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-io_counters
type IOCounters struct {
	ReadCount, WriteCount, OtherCount uint64
	ReadBytes, WriteBytes, OtherBytes uint64
}

// Accounting reads the basic accounting information.
func (j *Job) Accounting() (Accounting, error) {
	return lend(j.handle, "query accounting of job", Kernel.Accounting)
}

// IO reads the transfers of all members, past and present.
func (j *Job) IO() (IOCounters, error) {
	return lend(j.handle, "query transfers of job", Kernel.IOCounters)
}

// Memory reads the committed memory. Kernels that do not count it return
// [ErrNotSupported].
func (j *Job) Memory() (MemoryUsage, error) {
	return lend(j.handle, "query memory of job", Kernel.MemoryUsage)
}

// Storage reads the storage traffic. It returns [ErrNotSupported] where the kernel does
// not count it, and on a job that was created without [Options].TrackIO.
func (j *Job) Storage() (IOAttribution, error) {
	const op = "query storage of job"
	if j.noIO {
		return IOAttribution{}, j.handle.fail(op, ErrNotSupported)
	}
	return lend(j.handle, op, Kernel.IOAttribution)
}

// ProcessMemory is the memory of one process, in bytes. All of it is zero once
// the process has ended.
//
// https://learn.microsoft.com/windows/win32/api/psapi/ns-psapi-process_memory_counters_ex2
type ProcessMemory struct {
	Commit            uint64 // private memory that is promised to it
	WorkingSet        uint64 // resident memory, shared pages included
	PrivateWorkingSet uint64 // resident memory that is its own; see PrivateKnown
	PageFaults        uint32 // wraps around
	// PrivateKnown is false on kernels that do not count the private working set.
	PrivateKnown bool
}

// ProcessTimes are the moment of creation and the processor time of one process.
//
// https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getprocesstimes
type ProcessTimes struct {
	Created      time.Time     // in steps of 100 ns; with the pid it identifies a process
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
