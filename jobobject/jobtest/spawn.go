package jobtest

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/siloshim/siloshim/jobobject"
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
	if run := k.programs[path]; run != nil {
		return run, nil
	}
	if run := k.programs[path[strings.LastIndexAny(path, `\/`)+1:]]; run != nil {
		return run, nil
	}
	return nil, fmt.Errorf("program %q: %w", application, jobobject.ErrNotExist)
}

// newborn describes a process to be.
type newborn struct {
	application string
	args, env   []string
	dir         string
	files       [3]*os.File // copied, not taken
	parent      uint32
	job         *job // that of the parent or of the job list
}

// CreateProcess implements [jobobject.Kernel]. Token and Console are refused.
func (k *Kernel) CreateProcess(h jobobject.Handle, o *jobobject.ProcessOptions) (jobobject.Handle, uint32, error) {
	k.mu.Lock()
	j, err := lookLocked[*job](k, "CreateProcess", h, uint32(jobobject.AccessAssign))
	k.mu.Unlock()
	if err != nil {
		return 0, 0, err
	}
	if o.Console != nil || o.Token != 0 {
		return 0, 0, jobobject.ErrNotSupported
	}
	args := SplitCommandLine(o.CommandLine)
	application := o.Application
	if application == "" && len(args) > 0 {
		application = args[0]
	}
	p, err := k.spawn(newborn{
		application: application, args: args, env: slices.Clone(o.Env), dir: o.Dir,
		files: [3]*os.File{o.Stdin, o.Stdout, o.Stderr}, parent: Self, job: j,
	})
	if err != nil {
		return 0, 0, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.openLocked(p, allProcessAccess), p.pid, nil
}

const allProcessAccess = 0x1FFFFF

// spawn makes the process and runs its program.
func (k *Kernel) spawn(n newborn) (*Proc, error) {
	files, err := copyFiles(n.files)
	if err != nil {
		return nil, err
	}
	p := &Proc{
		Args: n.args, Env: n.env, Dir: n.dir, Stdin: files[0], Stdout: files[1], Stderr: files[2],
		files: files, kernel: k, parent: n.parent, done: make(chan struct{}), exited: make(chan struct{}), events: make(chan uint32, 16),
		commit: startCommit, working: startWorkingSet,
	}
	run, err := k.enrol(p, &n)
	if err != nil {
		return nil, errors.Join(err, closeStreams(files[:]))
	}
	go func() {
		defer k.running.Done()
		k.end(p, run(p), (*Proc).closeFiles)
	}()
	return p, nil
}

// enrol gives p its pid and its job.
func (k *Kernel) enrol(p *Proc, n *newborn) (func(*Proc) uint32, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	run, err := k.programLocked(n.application)
	if err != nil {
		return nil, err
	}
	k.lastPid += 4
	p.pid = k.lastPid
	if n.job != nil {
		if err := n.job.admitLocked(p); err != nil {
			return nil, err
		}
	}
	k.procs[p.pid] = p
	k.running.Add(1)
	return run, nil
}

// end ends p with code unless something else has begun to. As on Windows its
// files are closed before anybody can see that it has ended.
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
	defer k.mu.Unlock()
	p.code, p.over = code, true
	delete(k.procs, p.pid)
	p.job.dismissLocked(p)
	close(p.exited)
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
