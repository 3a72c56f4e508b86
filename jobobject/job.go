package jobobject

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/siloshim/siloshim/internal/inbox"
)

// DefaultSecurityDescriptor grants all access to LocalSystem and the administrators,
// and none to others. It is SDDL.
const DefaultSecurityDescriptor = "D:P(A;;GA;;;SY)(A;;GA;;;BA)"

// Options describe a new job.
type Options struct {
	// Name is empty for an anonymous job. A name that starts with a backslash is
	// a path in the NT object name space; any other is a Win32 name of the session.
	Name string
	// SecurityDescriptor is SDDL; empty means [DefaultSecurityDescriptor].
	SecurityDescriptor string
	// KillOnClose ends all members when the last handle to the job is closed,
	// also because the process that had it open has ended.
	KillOnClose bool
	// TrackIO counts reads and writes for [Job.Storage]. Where the kernel refuses, the
	// job is created all the same, and Storage returns [ErrNotSupported].
	TrackIO bool
	// Kernel is nil for [System].
	Kernel Kernel
}

// Job is an open job object. All methods are safe for concurrent use, also with Close,
// after which they return [ErrClosed].
type Job struct {
	// Immutable after Create or Open.
	name   string
	kernel Kernel
	handle *handle
	port   *port   // nil for an opened job: its creator has the port
	key    uintptr // of this job at the port
	noIO   bool    // created here without I/O attribution

	emptied broadcast
	inbox   inbox.Inbox[Message]

	limitSem chan struct{} // has a value while SetLimits runs, kernel calls included

	limitMu     sync.Mutex // guards the fields below
	limits      Limits
	limitsKnown bool // limits are all there are: false for an opened job until they were queried
}

// Create makes a job. A name in use is [ErrExist], never a second handle to an
// existing job.
//
// https://learn.microsoft.com/windows/win32/api/jobapi2/nf-jobapi2-createjobobjectw
func Create(o Options) (*Job, error) {
	const op = "create job"
	k := kernelOr(o.Kernel)
	if err := checkText("name", o.Name); err != nil {
		return nil, fail(op, "", err)
	}
	sd := o.SecurityDescriptor
	if sd == "" {
		sd = DefaultSecurityDescriptor
	}
	h, err := k.CreateJob(o.Name, sd)
	if err != nil {
		return nil, fail(op, o.Name, err)
	}
	j := newJob(o.Name, k, h)
	j.limitsKnown = true
	if err := j.setUp(h, o); err != nil {
		return nil, fail(op, o.Name, errors.Join(err, j.Close()))
	}
	return j, nil
}

// setUp applies what is set once, before the first process.
func (j *Job) setUp(h Handle, o Options) error {
	if err := j.listen(h); err != nil {
		return fmt.Errorf("associate completion port: %w", err)
	}
	if o.KillOnClose {
		if err := j.SetLimits(context.Background(), Limits{KillOnClose: true}); err != nil {
			return err
		}
	}
	j.noIO = !o.TrackIO || j.kernel.EnableIOAttribution(h) != nil
	return nil
}

// OpenOptions say how a job is opened.
type OpenOptions struct {
	// Access has the rights that the methods to be called need; 0 is [AccessQuery].
	Access Access
	// Kernel is nil for [System].
	Kernel Kernel
}

// Open opens the job with this name. If there is none the error is [ErrNotExist].
// The kernel removes the name with the last handle, so a job whose creator has ended
// is gone although the kernel may still be ending its members. An opened job
// receives no [Message]. Its limits are unknown, and [Job.SetLimits] returns
// [ErrLimitsUnknown], until [Job.QueryLimits] has read them.
//
// https://learn.microsoft.com/windows/win32/api/jobapi2/nf-jobapi2-openjobobjectw and, for names,
// https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwmaketemporaryobject
func Open(name string, o OpenOptions) (*Job, error) {
	const op = "open job"
	k := kernelOr(o.Kernel)
	if name == "" {
		return nil, fail(op, "", errors.New("name is empty"))
	}
	if err := checkText("name", name); err != nil {
		return nil, fail(op, "", err)
	}
	if o.Access == 0 {
		o.Access = AccessQuery
	}
	h, err := k.OpenJob(name, o.Access)
	if err != nil {
		return nil, fail(op, name, err)
	}
	return newJob(name, k, h), nil
}

func newJob(name string, k Kernel, h Handle) *Job {
	return &Job{name: name, kernel: k, limitSem: make(chan struct{}, 1), handle: newHandle(k, h, name, 0, k.CloseHandle)}
}

func kernelOr(k Kernel) Kernel {
	if k == nil {
		return System()
	}
	return k
}

// Kernel is the kernel that has the job.
func (j *Job) Kernel() Kernel { return j.kernel }

// Name is the name the job was created or opened with.
func (j *Job) Name() string { return j.name }

// Close closes the handle, ends every wait with [ErrClosed] and closes the
// channel of [Job.Messages]. With KillOnClose, and no other handle open, the
// kernel then ends all members. Further calls return nil.
func (j *Job) Close() error {
	first, err := j.handle.Close()
	if first {
		if j.port != nil {
			j.port.leave(j.key)
		}
		j.inbox.Close()
	}
	return j.handle.fail("close job", err)
}

// Assign puts a running process, and every child that it starts from now on, into
// the job. An unused pid is [ErrNotExist]. A process in a job in which this one
// cannot be nested is [ErrPermission]. A pid may have gone to another process: see
// [Job.AssignHandle].
//
// https://learn.microsoft.com/windows/win32/api/jobapi2/nf-jobapi2-assignprocesstojobobject
func (j *Job) Assign(pid uint32) error {
	return j.handle.do("assign process to job", func(k Kernel, h Handle) error {
		p, err := k.OpenProcess(pid, ProcessSetQuota|ProcessTerminate)
		if err != nil {
			return fmt.Errorf("open process %d: %w", pid, err)
		}
		return errors.Join(k.AssignProcess(h, p), k.CloseHandle(p))
	})
}

// AssignHandle does what [Job.Assign] does with the process behind an open handle,
// which needs the rights [ProcessSetQuota] and [ProcessTerminate]. The handle stays
// the caller's; [os.Process.WithHandle] gives that of a child.
func (j *Job) AssignHandle(process Handle) error {
	return j.handle.do("assign process to job", func(k Kernel, h Handle) error { return k.AssignProcess(h, process) })
}

// Terminate ends all members, nested jobs included, with exit code code. It does not
// wait until they have ended: see [Job.WaitEmpty]. A job without members is no error.
// It waits up to 2 seconds for a Start with [ProcessOptions].ConsoleOf in progress.
//
// https://learn.microsoft.com/windows/win32/api/jobapi2/nf-jobapi2-terminatejobobject
func (j *Job) Terminate(code uint32) error {
	return j.handle.do("terminate job", func(k Kernel, h Handle) error { return k.TerminateJob(h, code) })
}

// checkText refuses what a UTF-16 string of the kernel would cut short.
func checkText(field, s string) error {
	if strings.ContainsRune(s, 0) {
		return fmt.Errorf("%s has a NUL character", field)
	}
	return nil
}

// Freeze stops all threads of all members, and of processes that become members
// later, until [Job.Thaw]. A frozen job can be terminated. Pair each Freeze with one
// Thaw: the effect of a second Freeze depends on the kernel. Kernels without the
// feature return [ErrNotSupported].
//
// The information class behind it, 18, is in no Microsoft document.
func (j *Job) Freeze() error {
	return j.handle.do("freeze job", func(k Kernel, h Handle) error { return k.Freeze(h, true) })
}

// Thaw undoes a [Job.Freeze].
func (j *Job) Thaw() error {
	return j.handle.do("thaw job", func(k Kernel, h Handle) error { return k.Freeze(h, false) })
}
