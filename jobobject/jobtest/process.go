package jobtest

import "github.com/siloshim/siloshim/jobobject"

// OpenProcess implements [jobobject.Kernel]. A process that has ended is there
// for as long as somebody has it open, and so is its pid.
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
