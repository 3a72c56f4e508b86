package hcs

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Kill terminates the process. It returns [ErrExited] if the process has ended or is
// ending by itself. A second Kill is no error.
//
// The service handles the signals of one handle one after the other, and may keep
// one until the process ends. So Kill opens further handles, and does not wait for a
// Signal that hangs.
//
// https://learn.microsoft.com/virtualization/api/hcs/reference/hcsterminateprocess
func (p *Process) Kill(ctx context.Context) error {
	const op = "kill process in system"
	if p.ended() {
		return p.who.fail(op, ErrExited)
	}
	if p.killed.Load() {
		return nil
	}
	// While our own handle is open, the pid cannot name another process.
	own, err := p.handle.Acquire()
	if err != nil {
		return p.who.fail(op, err)
	}
	_, err = pendingCall[struct{}]{
		limit:   p.system.client.Timeouts.query(),
		call:    func() (struct{}, error) { return struct{}{}, p.kill(own) },
		release: p.handle.Release,
	}.run(ctx, p.system.client)
	if err != nil && p.ended() {
		err = ErrExited
	}
	return p.who.fail(op, err)
}

// kill runs in a pendingCall.
func (p *Process) kill(own ProcessHandle) error {
	service := p.system.client.service()
	h := own
	if s, err := service.OpenSystem(p.who.id, accessAll); err == nil {
		defer service.CloseSystem(s)
		if fresh, err := service.OpenProcess(s, p.info.Pid, accessAll); err == nil {
			defer service.CloseProcess(fresh)
			h = fresh
		}
	}
	o := &operation{service: service}
	_, err := query(service, o, func(op OperationHandle) error { return service.CallProcess(op, h, CallTerminateProcess, "") })
	switch {
	case err == nil:
		p.killed.Store(true)
	case errors.Is(err, CodeWin32AccessDenied):
		// The service may end any process of its containers. It passes on what
		// TerminateProcess says of one that is being terminated; for a caller without
		// rights it has CodeAccessDenied.
		return ErrExited
	}
	return p.checkAnswer(err)
}

// checkAnswer reads the answer to a signal or a kill. The service may know that the
// process has ended and never send the event, so Wait ends a second later.
func (p *Process) checkAnswer(err error) error {
	code, ok := errors.AsType[Code](err)
	if !ok || code.canonical() != CodeInvalidState && !errors.Is(code, ErrNotFound) {
		return err
	}
	if !p.ended() {
		time.AfterFunc(exitEventTimeout, func() { p.watch.markLost(code) })
	}
	if errors.Is(code, ErrExited) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrExited, code)
}

// ended reports whether the exit event has come.
func (p *Process) ended() bool {
	select {
	case <-p.watch.done:
		_, err := p.watch.final()
		return err == nil
	default:
		return false
	}
}
