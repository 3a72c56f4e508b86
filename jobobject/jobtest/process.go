package jobtest

import (
	"slices"
	"strings"

	"github.com/siloshim/siloshim/jobobject"
)

// OpenProcess implements [jobobject.Kernel]. A process that has ended is there
// while a handle to it is open, and so is its pid.
func (k *Kernel) OpenProcess(pid uint32, access jobobject.ProcessAccess) (jobobject.Handle, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.enterLocked("OpenProcess"); err != nil {
		return 0, err
	}
	p := k.procs[pid]
	if p == nil {
		return 0, jobobject.ErrNotExist
	}
	if p.protected {
		return 0, jobobject.ErrPermission
	}
	return k.openLocked(p, uint32(access)), nil
}

// TerminateProcess implements [jobobject.Kernel]. One that has ended is refused.
func (k *Kernel) TerminateProcess(h jobobject.Handle, code uint32) error {
	k.mu.Lock()
	p, err := lookLocked[*Proc](k, "TerminateProcess", h, uint32(jobobject.ProcessTerminate))
	over := err == nil && p.over
	k.mu.Unlock()
	switch {
	case err != nil:
		return err
	case over:
		return jobobject.ErrPermission
	}
	k.kill([]*Proc{p}, code)
	return nil
}

// SignalProcess implements [jobobject.Kernel].
func (k *Kernel) SignalProcess(h jobobject.Handle, event jobobject.ConsoleEvent) error {
	k.mu.Lock()
	p, err := lookLocked[*Proc](k, "SignalProcess", h, uint32(jobobject.ProcessSignal))
	over := err == nil && p.over
	k.mu.Unlock()
	switch {
	case err != nil:
		return err
	case over:
		return jobobject.ErrPermission
	}
	k.raise(p, event)
	return nil
}

// raise has a process handle an event, or ends it if it has no handler.
func (k *Kernel) raise(p *Proc, event jobobject.ConsoleEvent) {
	k.mu.Lock()
	handled := p.handled
	k.mu.Unlock()
	if !handled {
		k.kill([]*Proc{p}, StatusControlCExit)
		return
	}
	select {
	case p.events <- event:
	default: // a program that never takes its events
	}
}

// ExitCode implements [jobobject.Kernel].
func (k *Kernel) ExitCode(h jobobject.Handle) (code uint32, exited bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	p, err := lookLocked[*Proc](k, "ExitCode", h, uint32(jobobject.ProcessQueryLimited))
	if err != nil {
		return 0, false, err
	}
	return p.code, p.over, nil
}

// WatchExit implements [jobobject.Kernel].
func (k *Kernel) WatchExit(h jobobject.Handle) (<-chan struct{}, func(), error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	p, err := lookLocked[*Proc](k, "WatchExit", h, 0)
	if err != nil {
		return nil, nil, err
	}
	return p.exited, func() {}, nil
}

// What every simulated process shares with others, and what it has open.
const (
	sharedWorkingSet = 256 << 10
	startHandles     = 40
)

// ProcessMemory implements [jobobject.Kernel].
func (k *Kernel) ProcessMemory(h jobobject.Handle) (jobobject.ProcessMemory, error) {
	return ofProcess(k, "ProcessMemory", h, func(p *Proc) jobobject.ProcessMemory { return p.memoryLocked() })
}

// ProcessTimes implements [jobobject.Kernel].
func (k *Kernel) ProcessTimes(h jobobject.Handle) (jobobject.ProcessTimes, error) {
	return ofProcess(k, "ProcessTimes", h, func(p *Proc) jobobject.ProcessTimes { return p.timesLocked() })
}

// ProcessImage implements [jobobject.Kernel].
func (k *Kernel) ProcessImage(h jobobject.Handle) (string, error) {
	return ofProcess(k, "ProcessImage", h, (*Proc).image)
}

// ProcessParent implements [jobobject.Kernel].
func (k *Kernel) ProcessParent(h jobobject.Handle) (uint32, error) {
	return ofProcess(k, "ProcessParent", h, (*Proc).Parent)
}

// ProcessHandles implements [jobobject.Kernel].
func (k *Kernel) ProcessHandles(h jobobject.Handle) (uint32, error) {
	return ofProcess(k, "ProcessHandles", h, func(p *Proc) uint32 {
		if p.over {
			return 0
		}
		return startHandles
	})
}

// SystemProcesses implements [jobobject.Kernel]. The list is by pid.
func (k *Kernel) SystemProcesses(list []jobobject.SystemProcess) ([]jobobject.SystemProcess, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.enterLocked("SystemProcesses"); err != nil {
		return list, err
	}
	have := len(list)
	for _, p := range k.procs {
		if p.over {
			continue // kept for those who have it open
		}
		list = append(list, jobobject.SystemProcess{
			Pid: p.pid, Parent: p.parent, Image: p.image(), Threads: 1, Handles: startHandles,
			Times: p.timesLocked(), Memory: p.memoryLocked(),
		})
	}
	slices.SortFunc(list[have:], func(a, b jobobject.SystemProcess) int { return int(a.Pid) - int(b.Pid) })
	return list, nil
}

// ofProcess answers a question about the process behind h.
func ofProcess[T any](k *Kernel, op string, h jobobject.Handle, ask func(*Proc) T) (T, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	p, err := lookLocked[*Proc](k, op, h, uint32(jobobject.ProcessQueryLimited))
	if err != nil {
		var zero T
		return zero, err
	}
	return ask(p), nil
}

func (p *Proc) memoryLocked() jobobject.ProcessMemory {
	if p.over {
		return jobobject.ProcessMemory{PrivateKnown: true}
	}
	return jobobject.ProcessMemory{
		Commit: p.commit, WorkingSet: p.working + sharedWorkingSet, PrivateWorkingSet: p.working,
		PageFaults: p.usage.faults, PrivateKnown: true,
	}
}

func (p *Proc) timesLocked() jobobject.ProcessTimes {
	return jobobject.ProcessTimes{Created: p.created, User: p.usage.user, Kernel: p.usage.kernel}
}

// image is the last element of the path that the process was started by.
func (p *Proc) image() string {
	if len(p.Args) == 0 {
		return ""
	}
	return p.Args[0][strings.LastIndexAny(p.Args[0], `\/`)+1:]
}
