package jobobject

import (
	"io"

	"github.com/siloshim/siloshim/internal/seal"
)

// Handle names an open kernel object of one [Kernel]. Zero is none.
type Handle uintptr

// Access is the set of rights asked for when a job is opened.
//
// https://learn.microsoft.com/windows/win32/procthread/job-object-security-and-access-rights
type Access uint32

const (
	AccessAssign        Access = 0x0001 // put processes into the job
	AccessSetAttributes Access = 0x0002 // set limits
	AccessQuery         Access = 0x0004 // all a reader of statistics needs
	AccessTerminate     Access = 0x0008 // end all members
	AccessAll           Access = 0x1F001F
)

// ProcessAccess is the set of rights asked for when a process is opened.
//
// https://learn.microsoft.com/windows/win32/procthread/process-security-and-access-rights
type ProcessAccess uint32

const (
	ProcessTerminate    ProcessAccess = 0x0001
	ProcessSignal       ProcessAccess = 0x10143A // start a thread in it, and tell whether it has ended
	ProcessSetQuota     ProcessAccess = 0x0100
	ProcessQueryLimited ProcessAccess = 0x1000
)

// Kernel is what this package needs of the operating system: typed calls, without
// an unsafe pointer. [System] is the kernel of this machine; package jobtest has a
// simulated one. Programs pass a Kernel to this package and have no other use for
// its methods.
//
// The interface is sealed: only types of this module implement it, so a later
// version may have more methods. A test can embed a Kernel in a struct and override
// some methods; it then passes a pointer to the struct, because a Kernel must be
// comparable.
//
// All methods are safe for concurrent use. Only WaitPort and CloseConsole wait for
// something else than the kernel. Errors match the Err variables of this package
// where one fits, and are the error code of the kernel otherwise.
type Kernel interface {
	// Sealed does nothing.
	Sealed(seal.Marker)

	// CreateJob makes a job object with all access. An empty name makes an
	// anonymous one, a name that starts with a backslash is an NT object path,
	// any other a Win32 name. A name in use is ErrExist, whatever it names.
	CreateJob(name, securityDescriptor string) (Handle, error)
	// OpenJob opens an existing job by the same rules, or returns ErrNotExist.
	OpenJob(name string, access Access) (Handle, error)
	// CloseHandle closes any handle that this interface returned.
	CloseHandle(h Handle) error

	AssignProcess(job, process Handle) error
	TerminateJob(job Handle, code uint32) error
	// IsProcessInJob reports whether process is a member of job or of a job nested in it;
	// of any job if job is 0.
	IsProcessInJob(process, job Handle) (bool, error)
	// ProcessIDs fills pids from the front. assigned counts all members; it is
	// larger than len(pids) when the list did not fit.
	ProcessIDs(job Handle, pids []uint32) (listed, assigned int, err error)

	Accounting(job Handle) (Accounting, error)
	IOCounters(job Handle) (IOCounters, error)
	MemoryUsage(job Handle) (MemoryUsage, error)
	IOAttribution(job Handle) (IOAttribution, error)
	// EnableIOAttribution starts the count that IOAttribution reads.
	EnableIOAttribution(job Handle) error

	// SetLimits sets that part of l, and removes those limits whose fields are
	// zero. With keepJobTime a JobUserTime in force goes on and does not start anew.
	SetLimits(job Handle, part LimitPart, l *Limits, keepJobTime bool) error
	// QueryLimits sets that part of l to what is in force.
	QueryLimits(job Handle, part LimitPart, l *Limits) error
	SetNotificationLimits(job Handle, n *NotificationLimits) error
	NotificationLimits(job Handle) (NotificationLimits, error)
	LimitViolation(job Handle) (Violation, error)
	// Freeze stops the members, or lets them go on.
	Freeze(job Handle, frozen bool) error

	CreateSilo(job Handle) error
	// Silo and ServerSilo return ErrNotSilo for a job that is none.
	Silo(job Handle) (Silo, error)
	ServerSilo(job Handle) (ServerSilo, error)
	// Bind adds a mapping for the members of a silo; Unbind removes one.
	Bind(silo Handle, m *Mapping) error
	Unbind(silo Handle, root string) error

	CreatePort() (Handle, error)
	// AssociatePort makes job send its messages to port under key, once for all.
	AssociatePort(job, port Handle, key uintptr) error
	// WaitPort blocks until a message arrives: its kind, its key, and a value that
	// is the pid in messages of one process.
	WaitPort(port Handle) (kind uint32, key, value uintptr, err error)
	// PostPort queues a message that is not from the kernel.
	PostPort(port Handle, kind uint32, key uintptr) error

	// CreateProcess starts p as a member of job from its first instruction. Its Args
	// are in its CommandLine already. It shares the console of p.ConsoleOf, whose
	// handle is open, if it can.
	CreateProcess(job Handle, p *ProcessOptions) (process Handle, pid uint32, err error)
	// OpenProcess returns ErrNotExist for a pid that is not in use.
	OpenProcess(pid uint32, access ProcessAccess) (Handle, error)
	TerminateProcess(process Handle, code uint32) error
	// SignalProcess makes process handle a console control event.
	SignalProcess(process Handle, event ConsoleEvent) error
	// ExitCode reports whether process has ended, and if so with what.
	ExitCode(process Handle) (code uint32, exited bool, err error)
	// WatchExit closes exited when process ends, or is an event that is set. stop
	// ends the watch; it must be called once, before the handle is closed, and
	// returns when the watch has no more use for the handle.
	WatchExit(process Handle) (exited <-chan struct{}, stop func(), err error)

	// CreateConsole makes a pseudo console, in a size that it takes. What is
	// written to in is typed into it; out carries what it shows.
	CreateConsole(width, height uint16) (console Handle, in io.WriteCloser, out io.ReadCloser, err error)
	ResizeConsole(console Handle, width, height uint16) error
	// CloseConsole ends the console and the processes attached to it. It may
	// return only when they have ended and out was read to its end.
	CloseConsole(console Handle)

	// ProcessMemory reads the memory counters of process in one call.
	ProcessMemory(process Handle) (ProcessMemory, error)
	// ProcessTimes reads the moment of creation and the processor time of process.
	ProcessTimes(process Handle) (ProcessTimes, error)
	// ProcessImage is the last element of the path of the image of process.
	ProcessImage(process Handle) (string, error)
	// ProcessParent is the pid of the creator of process, who may be long gone.
	ProcessParent(process Handle) (uint32, error)
	// ProcessHandles counts the handles that process has open.
	ProcessHandles(process Handle) (uint32, error)
	// SystemProcesses appends every process of the machine to list. It is one
	// call, and costs what the whole machine runs.
	SystemProcesses(list []SystemProcess) ([]SystemProcess, error)
}

// System returns the kernel of this machine. On systems other than Windows
// every method of it returns [ErrNotSupported].
func System() Kernel { return system{} }

// system implements Kernel, per operating system.
type system struct{ seal.Marker }
