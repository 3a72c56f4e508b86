package hcs

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/siloshim/siloshim/internal/handle"
	"github.com/siloshim/siloshim/schema"
)

// Process is an open process of a compute system. Until Close its pid cannot name
// another process. All methods are safe for concurrent use, also with Close, and
// observe ctx as those of [System] do.
type Process struct {
	// Immutable after create or open.
	system *System
	who    subject
	handle *handle.Handle[ProcessHandle]
	watch  *watch
	info   ProcessInformation

	killed atomic.Bool // the service has taken a Kill
}

// CreateProcess starts a process in a running system, with those streams that
// parameters ask for. It returns [ErrNotFound] for a program that does not exist. If
// ctx ends first, a process that is created later is terminated and closed.
//
// https://learn.microsoft.com/virtualization/api/hcs/reference/hcscreateprocess
func (s *System) CreateProcess(ctx context.Context, parameters *schema.ProcessParameters) (*Process, error) {
	const op = "create process in system"
	who := subject{id: s.who.id, secret: true}
	text, err := schema.Marshal(parameters)
	if err != nil {
		return nil, who.fail(op, err)
	}
	h, err := s.handle.Acquire()
	if err != nil {
		return nil, who.fail(op, err)
	}
	o := &operation{service: s.client.service()}
	p, err := pendingCall[*Process]{
		limit:   s.client.Timeouts.change(),
		call:    func() (*Process, error) { return s.spawn(o, h, string(text)) },
		undo:    (*Process).undo,
		cancel:  o.cancel,
		release: s.handle.Release,
	}.run(ctx, s.client)
	return p, who.fail(op, err)
}

// spawn runs in a pendingCall.
func (s *System) spawn(o *operation, h SystemHandle, document string) (*Process, error) {
	p := &Process{system: s, watch: newWatch(EventProcessExited)}
	var ph ProcessHandle
	_, err := do(o, func(op OperationHandle) (struct{}, error) {
		var err error
		if ph, err = o.service.CreateProcess(op, h, document); err != nil {
			return struct{}{}, err
		}
		p.handle = own(ph, o.service.CloseProcess)
		p.info, err = o.service.WaitProcessOperation(op)
		return struct{}{}, err
	})
	if p.handle == nil {
		return nil, err
	}
	if err != nil {
		// The service of Windows Server 2022 has been seen to finish the creation
		// before it returns, and then to refuse the wait, with E_INVALIDARG for one,
		// although the process runs. So query again. Not after a wait that
		// succeeded: the process may have ended, and its output would be lost.
		info, again := p.queryInfo(ph)
		if again != nil { // the first error is the cause
			p.undo()
			return nil, err
		}
		p.info = info
	}
	p.who = subject{id: s.who.id, pid: p.info.Pid}
	if err := o.service.SetProcessCallback(ph, p.watch.put); err != nil {
		p.undo()
		return nil, fmt.Errorf("watch: %w", err)
	}
	return p, nil
}

// queryInfo queries the pid and the streams of a process that was just created.
func (p *Process) queryInfo(h ProcessHandle) (ProcessInformation, error) {
	service := p.system.client.service()
	return do(&operation{service: service}, func(op OperationHandle) (ProcessInformation, error) {
		if err := service.CallProcess(op, h, CallProcessInfo, ""); err != nil {
			return ProcessInformation{}, err
		}
		return service.WaitProcessOperation(op)
	})
}

// OpenProcess opens a running process of the system by its pid. It has no streams. It
// returns [ErrNotFound] if there is no such process.
//
// https://learn.microsoft.com/virtualization/api/hcs/reference/hcsopenprocess
func (s *System) OpenProcess(ctx context.Context, pid uint32) (*Process, error) {
	const op = "open process in system"
	p := &Process{system: s, who: subject{id: s.who.id, pid: pid}, watch: newWatch(EventProcessExited)}
	h, err := s.handle.Acquire()
	if err != nil {
		return nil, p.who.fail(op, err)
	}
	service := s.client.service()
	_, err = pendingCall[struct{}]{
		limit: s.client.Timeouts.query(),
		call: func() (struct{}, error) {
			ph, err := service.OpenProcess(h, pid, accessAll)
			if err != nil {
				return struct{}{}, err
			}
			p.handle, p.info.Pid = own(ph, service.CloseProcess), pid
			if err := service.SetProcessCallback(ph, p.watch.put); err != nil {
				p.abandon()
				return struct{}{}, fmt.Errorf("watch: %w", err)
			}
			return struct{}{}, nil
		},
		undo:    func(struct{}) { p.abandon() },
		release: s.handle.Release,
	}.run(ctx, s.client)
	if err != nil {
		return nil, p.who.fail(op, err)
	}
	return p, nil
}

// undo ends a process that no caller has.
func (p *Process) undo() {
	if h, err := p.handle.Acquire(); err == nil {
		o := &operation{service: p.system.client.service()}
		_, _ = query(o.service, o, func(op OperationHandle) error { return o.service.CallProcess(op, h, CallTerminateProcess, "") })
		_ = p.handle.Release()
	}
	p.abandon()
}

// abandon closes a process that no caller has.
func (p *Process) abandon() {
	_ = p.closeStreams()
	_, _ = p.handle.Close()
}

// Pid returns the process id, which is the same on the host.
func (p *Process) Pid() uint32 { return p.info.Pid }

// Status queries the state of the process.
//
// https://learn.microsoft.com/virtualization/api/hcs/reference/hcsgetprocessproperties
func (p *Process) Status(ctx context.Context) (*schema.ProcessStatus, error) {
	const op = "query process in system"
	answer, err := p.call(ctx, op, CallProcessProperties, "")
	if err != nil {
		return nil, err
	}
	status := new(schema.ProcessStatus)
	return status, p.who.fail(op, decode(answer, status))
}

// Signal raises a console control event in the process. Some versions of the
// service answer only when the process has ended; the end of ctx ends the wait for
// the answer and does not cancel the signal. Signal returns [ErrExited] if the
// process has ended or the service has no such process any more.
//
// https://learn.microsoft.com/virtualization/api/hcs/reference/hcssignalprocess
func (p *Process) Signal(ctx context.Context, signal schema.ProcessSignal) error {
	return p.send(ctx, "signal process in system", CallSignalProcess, schema.SignalProcessOptions{Signal: signal})
}

// Resize sets the size of the process's console.
//
// https://learn.microsoft.com/virtualization/api/hcs/reference/hcsmodifyprocess
func (p *Process) Resize(ctx context.Context, width, height uint16) error {
	return p.send(ctx, "resize console of process in system", CallModifyProcess, schema.ProcessModifyRequest{
		Operation: schema.OperationConsoleSize, ConsoleSize: &schema.ConsoleSize{Height: height, Width: width},
	})
}

// send submits a call that has a document and no answer.
func (p *Process) send(ctx context.Context, op string, call ProcessCall, document any) error {
	text, err := schema.Marshal(document)
	if err != nil {
		return p.who.fail(op, err)
	}
	_, err = p.call(ctx, op, call, string(text))
	return err
}

func (p *Process) call(ctx context.Context, op string, call ProcessCall, document string) (string, error) {
	h, err := p.handle.Acquire()
	if err != nil {
		return "", p.who.fail(op, err)
	}
	o := &operation{service: p.system.client.service()}
	e := pendingCall[string]{
		limit: p.system.client.Timeouts.query(),
		call: func() (string, error) {
			answer, err := query(o.service, o, func(op OperationHandle) error { return o.service.CallProcess(op, h, call, document) })
			if call == CallSignalProcess {
				err = p.checkAnswer(err)
			}
			return answer, err
		},
		cancel:  o.cancel,
		release: p.handle.Release,
	}
	if call == CallSignalProcess {
		e.cancel = nil // it was delivered long ago; what would be cancelled is the answer
	}
	answer, err := e.run(ctx, p.system.client)
	return answer, p.who.fail(op, err)
}

// Close closes the handle of the process and its streams, and does not end the
// process. Further calls do nothing.
func (p *Process) Close() error {
	p.watch.inbox.Close()
	err := closeHandle(p.system.client, p.who, "close process in system", p.handle)
	return errors.Join(err, p.closeStreams())
}
