package hcs

import (
	"context"
	"errors"
	"fmt"

	"github.com/siloshim/siloshim/internal/handle"
	"github.com/siloshim/siloshim/schema"
)

// System is an open compute system. All methods are safe for concurrent use, also
// with Close.
//
// A method whose ctx ends returns the context's error. The service may still do what
// the method requested; a call in progress is cancelled, unless it ends the system.
// [Timeouts] bound every method but Wait.
type System struct {
	// Immutable after create or open.
	client *Client
	who    subject
	handle *handle.Handle[SystemHandle]
	watch  *watch
}

func newSystem(c *Client, id string) *System {
	return &System{client: c, who: subject{id: id}, watch: newWatch(EventSystemExited)}
}

// create runs in a pendingCall.
func (s *System) create(op OperationHandle, document string) error {
	service := s.client.service()
	h, err := service.CreateSystem(op, s.who.id, document)
	if err != nil {
		return err
	}
	s.handle = own(h, service.CloseSystem)
	if _, err := service.WaitOperation(op); err != nil {
		if errors.Is(err, CodeSystemAlreadyExists) {
			s.abandon() // the system is another client's
		} else {
			s.undo() // it may have been made
		}
		return err
	}
	if err := service.SetSystemCallback(h, s.watch.put); err != nil {
		s.undo()
		return fmt.Errorf("watch: %w", err)
	}
	return nil
}

// open runs in a pendingCall.
func (s *System) open() error {
	service := s.client.service()
	h, err := service.OpenSystem(s.who.id, accessAll)
	if err != nil {
		return err
	}
	s.handle = own(h, service.CloseSystem)
	if err := service.SetSystemCallback(h, s.watch.put); err != nil {
		s.abandon()
		return fmt.Errorf("watch: %w", err)
	}
	return nil
}

// undo ends a system that no caller has.
func (s *System) undo() {
	if h, err := s.handle.Acquire(); err == nil {
		o := &operation{service: s.client.service()}
		_, _ = query(o.service, o, func(op OperationHandle) error { return o.service.CallSystem(op, h, CallTerminateSystem, "") })
		_ = s.handle.Release()
	}
	s.abandon()
}

// abandon closes a system that no caller has.
func (s *System) abandon() { _, _ = s.handle.Close() }

// ID returns the id of the system.
func (s *System) ID() string { return s.who.id }

// Start starts a system that was created.
//
// https://learn.microsoft.com/virtualization/api/hcs/reference/hcsstartcomputesystem
func (s *System) Start(ctx context.Context) error {
	_, err := s.call(ctx, "start system", CallStartSystem, "")
	return err
}

// ShutDown asks the programs in the system to end, and returns when the service
// reports that they have or will; [System.Wait] waits for the end. A system that has
// stopped is no error.
//
// https://learn.microsoft.com/virtualization/api/hcs/reference/hcsshutdowncomputesystem
func (s *System) ShutDown(ctx context.Context) error {
	_, err := s.call(ctx, "shut down system", CallShutDownSystem, "")
	return ignore(err, CodeSystemAlreadyStopped)
}

// Terminate ends the system and all its processes at once. A system that has stopped
// is no error.
//
// https://learn.microsoft.com/virtualization/api/hcs/reference/hcsterminatecomputesystem
func (s *System) Terminate(ctx context.Context) error {
	_, err := s.call(ctx, "terminate system", CallTerminateSystem, "")
	return ignore(err, CodeSystemAlreadyStopped)
}

// Pause suspends the system. Windows Server containers return [ErrNotSupported].
//
// https://learn.microsoft.com/virtualization/api/hcs/reference/hcspausecomputesystem
func (s *System) Pause(ctx context.Context) error {
	_, err := s.call(ctx, "pause system", CallPauseSystem, "")
	return err
}

// Resume continues a paused system.
//
// https://learn.microsoft.com/virtualization/api/hcs/reference/hcsresumecomputesystem
func (s *System) Resume(ctx context.Context) error {
	_, err := s.call(ctx, "resume system", CallResumeSystem, "")
	return err
}

// Properties returns the basic properties and those of the given types.
//
// https://learn.microsoft.com/virtualization/api/hcs/reference/hcsgetcomputesystemproperties
func (s *System) Properties(ctx context.Context, types ...schema.PropertyType) (*schema.Properties, error) {
	const op = "query system"
	text, err := schema.Marshal(schema.PropertyQuery{PropertyTypes: types})
	if err != nil {
		return nil, s.who.fail(op, err)
	}
	answer, err := s.call(ctx, op, CallSystemProperties, string(text))
	if err != nil {
		return nil, err
	}
	p := new(schema.Properties)
	return p, s.who.fail(op, decode(answer, p))
}

// Modify changes the system while it runs.
//
// https://learn.microsoft.com/virtualization/api/hcs/reference/hcsmodifycomputesystem
func (s *System) Modify(ctx context.Context, request *schema.ModifySettingRequest) error {
	const op = "modify system"
	text, err := schema.Marshal(request)
	if err != nil {
		return s.who.fail(op, err)
	}
	_, err = s.call(ctx, op, CallModifySystem, string(text))
	return err
}

// Exited returns a channel that is closed when the system has exited or the
// service is lost; [System.Wait] then returns which.
func (s *System) Exited() <-chan struct{} { return s.watch.done }

// Wait returns how the system ended. It ends early with ctx, with [ErrClosed] after
// Close, and with [CodeServiceDisconnect] if the service is lost: no event of this
// System will come then.
func (s *System) Wait(ctx context.Context) (*schema.SystemExitStatus, error) {
	const op = "wait for system"
	if err := wait(ctx, s.watch.done, s.handle.Closed()); err != nil {
		return nil, s.who.fail(op, err)
	}
	n, err := s.watch.final()
	if err != nil {
		return nil, s.who.fail(op, err)
	}
	status := new(schema.SystemExitStatus)
	return status, s.who.fail(op, decode(n.Document, status))
}

// Notifications returns the channel of the system's notifications, always the same
// one. It has none from before the first call. A reader that is more than 64 behind
// loses the newest. Close closes the channel.
func (s *System) Notifications() <-chan Notification { return s.watch.inbox.Values(notificationBuffer) }

// Close closes the handle of the system. That terminates the system if its document
// has ShouldTerminateOnLastHandleClosed and the handle was the last. Waits end. Calls
// in progress continue, and the last of them closes the handle. Further calls of
// Close do nothing.
func (s *System) Close() error {
	s.watch.inbox.Close()
	return closeHandle(s.client, s.who, "close system", s.handle)
}

// call submits one call and waits for its operation.
func (s *System) call(ctx context.Context, op string, call SystemCall, document string) (string, error) {
	h, err := s.handle.Acquire()
	if err != nil {
		return "", s.who.fail(op, err)
	}
	o := &operation{service: s.client.service()}
	e := pendingCall[string]{
		limit: s.client.Timeouts.query(),
		call: func() (string, error) {
			return query(o.service, o, func(op OperationHandle) error { return o.service.CallSystem(op, h, call, document) })
		},
		cancel:  o.cancel,
		release: s.handle.Release,
	}
	switch call {
	case CallShutDownSystem, CallTerminateSystem:
		// A cancelled teardown would leave a half written disk.
		e.limit, e.cancel = s.client.Timeouts.teardown(), nil
	case CallStartSystem, CallPauseSystem, CallResumeSystem:
		e.limit = s.client.Timeouts.change()
	}
	answer, err := e.run(ctx, s.client)
	return answer, s.who.fail(op, err)
}

// own owns a handle of the service, which closes it without an error.
func own[H ~uintptr](h H, free func(H)) *handle.Handle[H] {
	return handle.New(h, func(h H) error {
		free(h)
		return nil
	})
}

// closeHandle closes h, for as long as a query may take.
func closeHandle[H ~uintptr](c *Client, who subject, op string, h *handle.Handle[H]) error {
	_, err := pendingCall[struct{}]{
		limit: c.Timeouts.query(),
		call: func() (struct{}, error) {
			_, err := h.Close()
			return struct{}{}, err
		},
	}.run(context.Background(), c)
	return who.fail(op, err)
}

// wait returns nil when done is closed, or the error that ended the wait.
func wait(ctx context.Context, done, closed <-chan struct{}) error {
	select {
	case <-done:
		return nil
	default:
	}
	select {
	case <-done:
		return nil
	case <-closed:
		return ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// decode reads an answer of the service into v.
func decode(answer string, v any) error {
	if answer == "" {
		return errors.New("the service gave no answer")
	}
	if err := schema.Unmarshal([]byte(answer), v); err != nil {
		return fmt.Errorf("read the answer of the service: %w", err)
	}
	return nil
}

// ignore takes one code for success.
func ignore(err error, c Code) error {
	if errors.Is(err, c) {
		return nil
	}
	return err
}
