package hcs

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/siloshim/siloshim/schema"
)

// Client creates, opens and lists compute systems. The zero Client speaks to this
// machine's service with the default timeouts. It must not be copied after its
// first use, and is safe for concurrent use.
type Client struct {
	Service  Service // nil is [ComputeCore]
	Timeouts Timeouts

	mu      sync.Mutex // guards the fields below
	pending int
	idle    chan struct{} // closed when pending is back at zero
}

// Pending counts the calls of the service that still run, also those that their
// callers do not wait for any more.
func (c *Client) Pending() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pending
}

// Idle returns a channel that is closed when no call is pending. A program that
// exits before that may leave a system or a process in the service.
func (c *Client) Idle() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.idle == nil {
		c.idle = make(chan struct{})
		close(c.idle)
	}
	return c.idle
}

func (c *Client) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pending == 0 {
		c.idle = make(chan struct{})
	}
	c.pending++
}

func (c *Client) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pending--; c.pending == 0 {
		close(c.idle)
	}
}

func (c *Client) service() Service {
	if c.Service == nil {
		return ComputeCore()
	}
	return c.Service
}

// Create makes the system that document describes, not yet started. It returns
// [ErrAlreadyExists] if the id is in use. If ctx ends first, a system that the service still
// makes is terminated and closed as soon as it is there.
//
// https://learn.microsoft.com/virtualization/api/hcs/reference/hcscreatecomputesystem
func (c *Client) Create(ctx context.Context, id string, document *schema.ComputeSystem) (*System, error) {
	const op = "create system"
	who := subject{id: id}
	text, err := schema.Marshal(document)
	if err != nil {
		return nil, who.fail(op, err)
	}
	s := newSystem(c, id)
	o := &operation{service: c.service()}
	_, err = pendingCall[struct{}]{
		limit: c.Timeouts.change(),
		call: func() (struct{}, error) {
			return do(o, func(h OperationHandle) (struct{}, error) { return struct{}{}, s.create(h, string(text)) })
		},
		undo:   func(struct{}) { s.undo() },
		cancel: o.cancel,
	}.run(ctx, c)
	if err != nil {
		return nil, who.fail(op, err)
	}
	return s, nil
}

// Open opens the system called id, or returns [ErrNotFound].
//
// https://learn.microsoft.com/virtualization/api/hcs/reference/hcsopencomputesystem
func (c *Client) Open(ctx context.Context, id string) (*System, error) {
	s := newSystem(c, id)
	_, err := pendingCall[struct{}]{
		limit: c.Timeouts.query(),
		call:  func() (struct{}, error) { return struct{}{}, s.open() },
		undo:  func(struct{}) { s.abandon() },
	}.run(ctx, c)
	if err != nil {
		return nil, subject{id: id}.fail("open system", err)
	}
	return s, nil
}

// Enumerate lists the systems that match q; nil means all.
//
// https://learn.microsoft.com/virtualization/api/hcs/reference/hcsenumeratecomputesystems
func (c *Client) Enumerate(ctx context.Context, q *schema.SystemQuery) ([]schema.Properties, error) {
	const op = "enumerate systems"
	if q == nil {
		q = new(schema.SystemQuery)
	}
	text, err := schema.Marshal(q)
	if err != nil {
		return nil, subject{}.fail(op, err)
	}
	o := &operation{service: c.service()}
	answer, err := pendingCall[string]{
		limit: c.Timeouts.query(),
		call: func() (string, error) {
			return query(o.service, o, func(h OperationHandle) error { return o.service.EnumerateSystems(h, string(text)) })
		},
		cancel: o.cancel,
	}.run(ctx, c)
	if err != nil {
		return nil, subject{}.fail(op, err)
	}
	var list []schema.Properties
	return list, subject{}.fail(op, decode(answer, &list))
}

// ServiceProperties queries properties of the service itself. The answers are in the
// order of types.
//
// https://learn.microsoft.com/virtualization/api/hcs/reference/hcsgetserviceproperties
func (c *Client) ServiceProperties(ctx context.Context, types ...schema.PropertyType) (*schema.ServiceProperties, error) {
	const op = "query service"
	answer, err := c.callService(ctx, c.Timeouts.query(), schema.PropertyQuery{PropertyTypes: types}, c.service().ServiceProperties, nil)
	if err != nil {
		return nil, subject{}.fail(op, err)
	}
	p := new(schema.ServiceProperties)
	return p, subject{}.fail(op, decode(answer, p))
}

// ModifyService changes the service, as [schema.NewCredentialGuardRequest] does.
// The answer is nil if the service gave none.
//
// https://learn.microsoft.com/virtualization/api/hcs/reference/hcsmodifyservicesettings
func (c *Client) ModifyService(ctx context.Context, request *schema.ModificationRequest) (json.RawMessage, error) {
	return c.ModifyServiceOrUndo(ctx, request, nil)
}

// ModifyServiceOrUndo is [Client.ModifyService] for a change that must not stay if
// ctx ends first: if the service makes the change later, it gets the request undo,
// unless that is nil.
func (c *Client) ModifyServiceOrUndo(ctx context.Context, request, undo *schema.ModificationRequest) (json.RawMessage, error) {
	late := func(string) {
		if undo != nil {
			// The caller has left and cannot get the error.
			_, _ = c.callService(context.Background(), c.Timeouts.change(), undo, c.service().ModifyServiceSettings, nil)
		}
	}
	answer, err := c.callService(ctx, c.Timeouts.change(), request, c.service().ModifyServiceSettings, late)
	if err != nil {
		// The request has a credential specification, and the service may repeat it.
		return nil, subject{secret: true}.fail("modify service", err)
	}
	if answer == "" {
		return nil, nil
	}
	return json.RawMessage(answer), nil
}

// callService sends document to a function of the service that answers at once. An answer that comes after the caller
// has left goes to undo, which may be nil.
func (c *Client) callService(
	ctx context.Context, limit time.Duration, document any, call func(string) (string, error), undo func(string),
) (string, error) {
	text, err := schema.Marshal(document)
	if err != nil {
		return "", err
	}
	return pendingCall[string]{limit: limit, call: func() (string, error) { return call(string(text)) }, undo: undo}.run(ctx, c)
}
