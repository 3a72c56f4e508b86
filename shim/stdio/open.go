package stdio

import (
	"cmp"
	"context"
	"fmt"
	"net"

	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/internal/logfield"
)

// Open reaches every stream that c names.
//
// Errors name the field: [errdefs.ErrInvalidArgument] for an address of no
// known form,
// [errdefs.ErrFailedPrecondition] for a terminal with stderr, which a console
// cannot have, and [errdefs.ErrUnavailable] when a client or a logging program does not
// accept. After an error nothing is left open. ctx bounds the dialling alone.
func Open(ctx context.Context, c Config) (*Relay, error) {
	if c.Terminal && c.Stderr != "" {
		return nil, fmt.Errorf("stderr: a terminal has stdout only; leave stderr empty: %w", errdefs.ErrFailedPrecondition)
	}
	r := &Relay{terminal: c.Terminal, log: c.Log}
	r.ctx, r.cancel = context.WithCancelCause(context.Background())
	if err := r.open(ctx, c); err != nil {
		_ = r.Close() // Nothing was carried yet; the first error counts.
		return nil, err
	}
	return r, nil
}

// open fills in r. On error the caller closes what r holds by then.
func (r *Relay) open(ctx context.Context, c Config) error {
	addresses, err := parseAddresses(c)
	if err != nil {
		return err
	}
	if a := addresses[0]; a != nil {
		call := func(ctx context.Context) (net.Conn, error) { return dial(ctx, a.path) }
		client, err := reach(ctx, a, call)
		if err != nil {
			return err
		}
		r.input = newInput(client, call)
		r.input.gone = cmp.Or(c.Retry, defaultRetry)
		r.input.log = c.Log
	}
	for _, a := range addresses[1:] {
		if a == nil {
			continue
		}
		s, err := r.reader(ctx, c, a)
		if err != nil {
			return err
		}
		if c.Log != nil {
			s.log = c.Log.WithField(logfield.Stream, a.field)
		}
		o := newOutput(a.field, s, &r.lost)
		o.client = !a.file && !a.program
		r.output = append(r.output, o)
	}
	for _, l := range r.loggers {
		l.endRest()
	}
	return nil
}

// reader opens the reader of an output. A logging program is not started again when it ends: later output is discarded.
func (r *Relay) reader(ctx context.Context, c Config, a *address) (*sink, error) {
	if !a.program {
		client, err := reach(ctx, a, a.open)
		if err != nil {
			return nil, err
		}
		return newSink(client, a.open, cmp.Or(c.Retry, defaultRetry)), nil
	}
	l, err := r.logger(ctx, c, a)
	if err != nil {
		return nil, a.unavailable(err)
	}
	return newSink(l.take(a.field), l.redial, 0), nil
}
