package hcs

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/siloshim/siloshim/internal/handle"
	"github.com/siloshim/siloshim/schema"
)

// Process is a process in a compute system. It holds the process open, so its pid
// means this process and no other until Close. All methods are safe for
// concurrent use, also with Close, and keep to their ctx as those of [System] do.
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
// parameters ask for. A program that is not there is [ErrNotFound]. If ctx
// ends first, a process that still comes to be is ended and closed.
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
	p, err := errand[*Process]{
		limit: s.client.Timeouts.change(),
		call:  func() (*Process, error) { return s.spawn(o, h, string(text)) },
		late:  (*Process).undo,
		leave: o.cancel,
		final: s.handle.Release,
	}.run(ctx, s.client)
	return p, who.fail(op, err)
}

// spawn runs on the goroutine of an errand.
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
		// although the process runs. Asking again tells. Not after a wait that went
		// well: the process may be gone by now, and its output with it.
		info, again := p.ask(ph)
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

// ask is the service's second chance to tell about a process it has just made.
func (p *Process) ask(h ProcessHandle) (ProcessInformation, error) {
	service := p.system.client.service()
	return do(&operation{service: service}, func(op OperationHandle) (ProcessInformation, error) {
		if err := service.CallProcess(op, h, CallProcessInfo, ""); err != nil {
			return ProcessInformation{}, err
		}
		return service.WaitProcessOperation(op)
	})
}

// OpenProcess opens a process that runs in the system by its pid. It has no
// streams. One that does not run is [ErrNotFound].
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
	_, err = errand[struct{}]{
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
		late:  func(struct{}) { p.abandon() },
		final: s.handle.Release,
	}.run(ctx, s.client)
	if err != nil {
		return nil, p.who.fail(op, err)
	}
	return p, nil
}

// undo ends a process that nobody has got to see.
func (p *Process) undo() {
	if h, err := p.handle.Acquire(); err == nil {
		o := &operation{service: p.system.client.service()}
		_, _ = query(o.service, o, func(op OperationHandle) error { return o.service.CallProcess(op, h, CallTerminateProcess, "") })
		_ = p.handle.Release()
	}
	p.abandon()
}

// abandon closes a process that nobody has got to see.
func (p *Process) abandon() {
	_ = p.closeStreams()
	_, _ = p.handle.Close()
}

// Pid is the process id, which is the host's.
func (p *Process) Pid() uint32 { return p.info.Pid }

// Status asks the service how the process is.
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
// service answer only when the process has ended; ctx says how long to wait for
// that, and its end takes nothing back. One that has ended already, or that the
// service does not know any more, is [ErrExited].
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
	e := errand[string]{
		limit: p.system.client.Timeouts.query(),
		call: func() (string, error) {
			answer, err := query(o.service, o, func(op OperationHandle) error { return o.service.CallProcess(op, h, call, document) })
			if call == CallSignalProcess {
				err = p.answered(err)
			}
			return answer, err
		},
		leave: o.cancel,
		final: p.handle.Release,
	}
	if call == CallSignalProcess {
		e.leave = nil // it was delivered long ago; what would be cancelled is the answer
	}
	answer, err := e.run(ctx, p.system.client)
	return answer, p.who.fail(op, err)
}

// Close gives up the process without ending it, and closes its streams. Further
// calls do nothing.
func (p *Process) Close() error {
	p.watch.close()
	err := closeHandle(p.system.client, p.who, "close process in system", p.handle)
	return errors.Join(err, p.closeStreams())
}
