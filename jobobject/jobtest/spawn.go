package jobtest

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/siloshim/siloshim/jobobject"
)

// What no simulated kernel starts: a process in MissingDir, which is the only directory that is not there, or one of a
// file called NotExecutable.
const (
	MissingDir    = `C:\no such directory`
	NotExecutable = "notes.exe"
)

// Program installs what runs when an image called name is started, by that very
// path or by its last element; case does not count. A name without a program is
// a file that does not exist.
func (k *Kernel) Program(name string, run func(*Proc) uint32) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.programs[strings.ToLower(name)] = run
}

func (k *Kernel) programLocked(application string) (func(*Proc) uint32, error) {
	path := strings.ToLower(application)
	name := path[strings.LastIndexAny(path, `\/`)+1:]
	if run := k.programs[path]; run != nil {
		return run, nil
	}
	if run := k.programs[name]; run != nil {
		return run, nil
	}
	if name == NotExecutable {
		return nil, fmt.Errorf("program %q: %w", application, jobobject.ErrNotExecutable)
	}
	return nil, fmt.Errorf("program %q: %w", application, jobobject.ErrNotExist)
}

// processSpec describes a process to start.
type processSpec struct {
	application string
	args, env   []string
	dir         string
	files       [3]*os.File // copied, not taken
	console     *console    // in the place of files
	consoleOf   uint32      // a process that shares its console
	newConsole  bool        // if that has none
	parent      uint32
	outer       *job  // a job to join before job; nil for none
	job         *job  // that of the parent or of the job list
	by          *Proc // starts it; nil for the shim
}

// CreateProcess implements [jobobject.Kernel]. A token is refused.
func (k *Kernel) CreateProcess(h jobobject.Handle, o *jobobject.ProcessOptions) (jobobject.Handle, uint32, error) {
	k.mu.Lock()
	j, err := lookLocked[*job](k, "CreateProcess", h, uint32(jobobject.AccessAssign))
	var c *console
	if err == nil && o.Console != nil {
		c, err = lookLocked[*console](k, "attach console", o.Console.Handle(), 0)
	}
	outer := k.outerJobLocked(o.BreakAway)
	k.mu.Unlock()
	if err != nil {
		return 0, 0, err
	}
	if o.Token != 0 {
		return 0, 0, jobobject.ErrNotSupported
	}
	var consoleOf uint32
	if o.ConsoleOf != nil {
		consoleOf = o.ConsoleOf.Pid()
	}
	args := SplitCommandLine(o.CommandLine)
	application := o.Application
	if application == "" && len(args) > 0 {
		application = args[0]
	}
	p, opened, err := k.spawn(processSpec{
		application: application, args: args, env: slices.Clone(o.Env), dir: o.Dir,
		files: [3]*os.File{o.Stdin, o.Stdout, o.Stderr}, console: c, parent: Self, outer: outer, job: j,
		consoleOf: consoleOf, newConsole: c == nil,
	}, true)
	if err != nil {
		return 0, 0, err
	}
	return opened, p.pid, nil
}

const allProcessAccess = 0x1FFFFF

// spawn makes the process, opens it before it can end, and runs its program.
func (k *Kernel) spawn(n processSpec, open bool) (*Proc, jobobject.Handle, error) {
	p := k.newProc(n.args, n.parent)
	p.Env, p.Dir = n.env, n.dir
	if err := p.connect(&n); err != nil {
		return nil, 0, err
	}
	run, opened, err := k.register(p, &n, open)
	if err != nil {
		return nil, 0, errors.Join(err, closeStreams(p.files[:]))
	}
	go func() {
		defer k.running.Done()
		k.end(p, run(p), (*Proc).closeFiles)
	}()
	return p, opened, nil
}

// newProc is a process that is not registered yet, without files.
func (k *Kernel) newProc(args []string, parent uint32) *Proc {
	return &Proc{
		Args: args, kernel: k, parent: parent, files: [3]*stream{{}, {}, {}},
		done: make(chan struct{}), exited: make(chan struct{}), events: make(chan jobobject.ConsoleEvent, 16),
		commit: startCommit, working: startWorkingSet,
	}
}

// connect gives p its files or its console.
func (p *Proc) connect(n *processSpec) error {
	if n.console != nil {
		t := terminal{n.console, p}
		p.Stdin, p.Stdout, p.Stderr = t, t, t
		return nil
	}
	files, err := copyFiles(n.files)
	p.files = files
	p.Stdin, p.Stdout, p.Stderr = files[0], files[1], files[2]
	return err
}

// register gives p its pid and its jobs.
func (k *Kernel) register(p *Proc, n *processSpec, open bool) (run func(*Proc) uint32, opened jobobject.Handle, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	run, err = k.programLocked(n.application)
	if err != nil {
		return nil, 0, err
	}
	if n.dir == MissingDir {
		return nil, 0, jobobject.ErrNotDirectory
	}
	if n.by != nil && (n.by.doomed || n.by.ending) { // the child would survive the end of its job (U163)
		return nil, 0, jobobject.ErrPermission
	}
	p.pid, p.created = k.newPidLocked(), k.now
	if n.outer != nil {
		if err := n.outer.joinLocked(p); err != nil {
			k.freePids = append(k.freePids, p.pid)
			return nil, 0, err
		}
	}
	if n.job != nil {
		if err := n.job.joinLocked(p); err != nil {
			k.freePids = append(k.freePids, p.pid)
			return nil, 0, err
		}
	}
	if n.console != nil {
		n.console.attached = append(n.console.attached, p)
		p.console = n.console
	}
	k.procs[p.pid] = p
	if n.newConsole || n.consoleOf != 0 {
		k.openHostLocked(p, n.consoleOf)
	}
	if open {
		opened = k.openLocked(p, allProcessAccess)
	}
	k.running.Add(1)
	return run, opened, nil
}

// RecyclePids gives new processes the pids of those that are gone, the latest
// first, as Windows often does. A pid stays in use while a handle to its process is open.
func (k *Kernel) RecyclePids() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.recycle = true
}

func (k *Kernel) newPidLocked() uint32 {
	if n := len(k.freePids); k.recycle && n > 0 {
		pid := k.freePids[n-1]
		k.freePids = k.freePids[:n-1]
		return pid
	}
	k.lastPid += 4
	return k.lastPid
}

// removeLocked removes p and frees its pid if it has ended and no handle to it is open.
func (k *Kernel) removeLocked(p *Proc) {
	if p.over && p.handles == 0 {
		delete(k.procs, p.pid)
		k.freePids = append(k.freePids, p.pid)
	}
}

// end ends p with code unless something else has begun to. As on Windows its
// files are closed before its end can be seen.
func (k *Kernel) end(p *Proc, code uint32, closeFiles func(*Proc)) {
	k.mu.Lock()
	if p.ending {
		k.mu.Unlock()
		return
	}
	p.ending = true
	k.mu.Unlock()

	close(p.done)
	closeFiles(p)

	k.mu.Lock()
	p.code, p.over = code, true
	hosts := p.detachLocked()
	p.job.leaveLocked(p)
	k.removeLocked(p)
	close(p.exited)
	k.mu.Unlock()
	k.kill(hosts, 0)
}

// kill ends processes from outside, while their programs may be anywhere.
func (k *Kernel) kill(victims []*Proc, code uint32) {
	for _, p := range victims {
		k.end(p, code, (*Proc).abandonFiles)
	}
}

func (p *Proc) closeFiles() {
	// A program may have closed its own files already.
	_ = closeStreams(p.files[:])
}

// Place puts a process into the job of that name, or into none where it is empty.
// It runs no program and has no files. It has the metrics of a new process until
// something ends it. That makes it cheap. The kernel's clock moves
// by its smallest step, so that no two have the same moment of creation.
func (k *Kernel) Place(job, image string, parent uint32) (*Proc, error) {
	p := k.newProc([]string{image}, parent)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.now = k.now.Add(100 * time.Nanosecond)
	p.pid, p.created = k.newPidLocked(), k.now
	if job != "" {
		j := k.named[nameKey(job)]
		if j == nil {
			return nil, jobobject.ErrNotExist
		}
		if err := j.joinLocked(p); err != nil {
			return nil, err
		}
	}
	k.procs[p.pid] = p
	return p, nil
}

// Exit ends the process with code, as its own last act. One that is ending
// already is left alone.
func (p *Proc) Exit(code uint32) { p.kernel.end(p, code, (*Proc).abandonFiles) }
