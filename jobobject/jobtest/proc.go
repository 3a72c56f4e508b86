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

// What a new process uses, so that metrics of a running one are never zero.
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
	events         chan jobobject.ConsoleEvent

	// Guarded by kernel.mu.
	job          *job
	console      *console // nil without one
	host         *host    // the same, of the other kind
	handles      int
	handled      bool // Events was called
	protected    bool
	doomed       bool // its job ends it: it starts nothing any more
	ending, over bool
	code         uint32
	created      time.Time // by the kernel's clock

	commit, working           uint64
	driftCommit, driftWorking int64   // bytes a second
	busyUser, busyKernel      float64 // processors
	usage                     usage
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
func (p *Proc) Events() <-chan jobobject.ConsoleEvent {
	p.kernel.mu.Lock()
	defer p.kernel.mu.Unlock()
	p.handled = true
	return p.events
}

// Protect makes OpenProcess refuse the process, as it does the protected ones of
// Windows.
func (p *Proc) Protect() { p.run(func() { p.protected = true }) }

// Spawn starts a child that shares the files, the environment and, unless the
// job sends its children away, the job.
func (p *Proc) Spawn(args ...string) (*Proc, error) { return p.spawn(false, args) }

// SpawnBreakaway starts a child as CREATE_BREAKAWAY_FROM_JOB does: outside of the
// job, or not at all where the job does not allow it.
func (p *Proc) SpawnBreakaway(args ...string) (*Proc, error) { return p.spawn(true, args) }

func (p *Proc) spawn(breakaway bool, args []string) (*Proc, error) {
	if len(args) == 0 {
		return nil, ErrInvalidParameter
	}
	if !p.Yield() {
		return nil, jobobject.ErrPermission
	}
	p.kernel.mu.Lock()
	j, err := p.job.childJobLocked(breakaway)
	c, shares := p.console, uint32(0)
	if p.host != nil {
		shares = p.pid
	}
	p.kernel.mu.Unlock()
	if err != nil {
		return nil, err
	}
	var files [3]*os.File
	if c == nil {
		files = [3]*os.File{p.files[0].file, p.files[1].file, p.files[2].file}
	}
	child, _, err := p.kernel.spawn(processSpec{
		application: args[0], args: args, env: p.Env, dir: p.Dir, parent: p.pid, job: j, console: c,
		files: files, consoleOf: shares, by: p,
	}, false)
	return child, err
}

// Yield returns true as soon as the process may run, which is at once unless one
// of its jobs is frozen, and false if it is being ended. The methods that change
// metrics, and Spawn, wait in the same way.
func (p *Proc) Yield() bool {
	for {
		p.kernel.mu.Lock()
		thaw, ending := p.thawLocked(), p.ending
		p.kernel.mu.Unlock()
		switch {
		case ending:
			return false
		case thaw == nil:
			return true
		}
		select {
		case <-thaw:
		case <-p.done:
		}
	}
}

// run changes metrics of a process that may run, and enforces the limits of its jobs
// afterwards.
func (p *Proc) run(change func()) {
	if !p.Yield() {
		return
	}
	p.kernel.mu.Lock()
	change()
	victims := p.enforceLocked()
	p.kernel.mu.Unlock()
	p.kernel.killAll(victims)
}

// Commit sets the committed memory to n bytes. It reports false, changes
// nothing and sends the message where a limit forbids it.
func (p *Proc) Commit(n uint64) (allowed bool) {
	p.run(func() { allowed = p.commitToLocked(n) })
	return allowed
}

// PrivateWorkingSet sets the private resident memory to n bytes, or to the most
// that its jobs allow.
func (p *Proc) PrivateWorkingSet(n uint64) { p.run(func() { p.workToLocked(n) }) }

// Drift lets committed and private resident memory change by so many bytes a
// second from now on, as the clock of the kernel moves.
func (p *Proc) Drift(commit, working int64) {
	p.run(func() { p.driftCommit, p.driftWorking = commit, working })
}

// Use adds processor time and page faults to what the process has used.
func (p *Proc) Use(user, kernel time.Duration, faults uint32) {
	p.run(func() { p.usage.add(usage{user: user, kernel: kernel, faults: faults}) })
}

// Busy keeps so many processors busy from now on, as the clock of the kernel
// moves: 1.5 is one and a half.
func (p *Proc) Busy(user, kernel float64) {
	p.run(func() { p.busyUser, p.busyKernel = user, kernel })
}

// Control adds requests that are neither a read nor a write to what the process has used.
func (p *Proc) Control(count, bytes uint64) {
	p.run(func() { p.usage.add(usage{others: count, otherBytes: bytes}) })
}

// Transfer adds storage traffic to what the process has used.
func (p *Proc) Transfer(io jobobject.IOAttribution) {
	p.run(func() { p.usage.add(usage{io: io}) })
}
