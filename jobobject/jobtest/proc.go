package jobtest

import (
	"io"
	"os"
	"time"

	"github.com/siloshim/siloshim/jobobject"
)

// StatusControlCExit is the exit code of a program that an event ended for want
// of a handler.
const StatusControlCExit uint32 = 0xC000013A

// What a new process uses, so that figures of a live one are never zero.
const (
	startCommit     = 2 << 20
	startWorkingSet = 1 << 20
)

// Proc is a simulated process, as its own program sees it. The program must
// return when Done is closed or one of its files fails.
type Proc struct {
	// Immutable after start.
	Args           []string // split by the rules of the C runtime
	Env            []string // KEY=VALUE
	Dir            string
	Stdin          io.ReadCloser // this and the next two are closed when it ends
	Stdout, Stderr io.WriteCloser
	files          [3]*stream
	kernel         *Kernel
	pid, parent    uint32
	done, exited   chan struct{}
	events         chan uint32

	// Guarded by kernel.mu.
	job             *job
	handled         bool // Events was called
	ending, over    bool
	code            uint32
	commit, working uint64
	usage           usage
}

// Pid is the process id.
func (p *Proc) Pid() uint32 { return p.pid }

// Parent is the id of the process that started this one.
func (p *Proc) Parent() uint32 { return p.parent }

// Done is closed when the process is being ended from outside, or has returned.
func (p *Proc) Done() <-chan struct{} { return p.done }

// Events receives the console control events raised in the process. The first
// call is what a program does to install a handler: before it any event ends
// the process with [StatusControlCExit].
func (p *Proc) Events() <-chan uint32 {
	p.kernel.mu.Lock()
	defer p.kernel.mu.Unlock()
	p.handled = true
	return p.events
}

// Spawn starts a child that shares the files, the environment and the job.
func (p *Proc) Spawn(args ...string) (*Proc, error) {
	if len(args) == 0 {
		return nil, ErrInvalidParameter
	}
	p.kernel.mu.Lock()
	j, ending := p.job, p.ending
	p.kernel.mu.Unlock()
	if ending {
		return nil, jobobject.ErrPermission
	}
	return p.kernel.spawn(newborn{
		application: args[0], args: args, env: p.Env, dir: p.Dir, parent: p.pid, job: j,
		files: [3]*os.File{p.files[0].file, p.files[1].file, p.files[2].file},
	})
}

// Commit sets the committed memory to n bytes. It reports false, changes
// nothing and sends the message where a limit forbids it.
func (p *Proc) Commit(n uint64) bool {
	p.kernel.mu.Lock()
	defer p.kernel.mu.Unlock()
	allowed := true
	p.job.chain(func(j *job) {
		if l := j.limits.ProcessMemory; l != 0 && n > l {
			j.postLocked(jobobject.ProcessMemoryLimit, p.pid)
			allowed = false
		}
		if l := j.limits.JobMemory; l != 0 && j.commitLocked()-p.commit+n > l {
			j.postLocked(jobobject.JobMemoryLimit, p.pid)
			allowed = false
		}
	})
	if allowed {
		p.commit = n
		p.job.chain((*job).notePeakLocked)
	}
	return allowed
}

// PrivateWorkingSet sets the private resident memory to n bytes.
func (p *Proc) PrivateWorkingSet(n uint64) {
	p.kernel.mu.Lock()
	defer p.kernel.mu.Unlock()
	p.working = n
}

// Use adds processor time and page faults to what the process has used.
func (p *Proc) Use(user, kernel time.Duration, faults uint32) {
	p.kernel.mu.Lock()
	defer p.kernel.mu.Unlock()
	p.usage.add(usage{user: user, kernel: kernel, faults: faults})
}

// Transfer adds storage traffic to what the process has used.
func (p *Proc) Transfer(io jobobject.IOAttribution) {
	p.kernel.mu.Lock()
	defer p.kernel.mu.Unlock()
	p.usage.add(usage{io: io})
}
