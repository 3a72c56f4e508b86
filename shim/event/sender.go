package event

import (
	"context"
	"errors"
	"fmt"

	"github.com/containerd/containerd/api/types"
	"github.com/containerd/errdefs"
)

// Sender sends events to containerd.
type Sender interface {
	// Forward returns nil once containerd has the event. It is sent again after an error, unless that is
	// [errdefs.ErrInvalidArgument]: containerd has seen it and will never take it.
	Forward(ctx context.Context, e *types.Envelope) error
	Close() error
}

// NewSender makes the sender for what a daemon passed to the shim: its ttrpc address, its program and its gRPC address.
// The program is used for a daemon without a ttrpc address, or whose address has no events service. Any of them may be
// empty.
func NewSender(ttrpcAddress, binary, grpcAddress string) Sender {
	switch {
	case binary == "":
		return NewTTRPC(ttrpcAddress)
	case ttrpcAddress == "":
		return NewBinary(binary, grpcAddress)
	}
	return &fallback{first: NewTTRPC(ttrpcAddress), second: NewBinary(binary, grpcAddress)}
}

// fallback sends by a second sender whenever the first is not implemented. Forward is for one goroutine.
type fallback struct{ first, second Sender }

// Forward tries both each time: the next containerd at the address may be a newer one.
func (s *fallback) Forward(ctx context.Context, e *types.Envelope) error {
	err := s.first.Forward(ctx, e)
	if !errdefs.IsNotImplemented(err) {
		return err
	}
	if second := s.second.Forward(ctx, e); second != nil {
		return fmt.Errorf("%v; %w", err, second) //nolint:errorlint // the class of the second counts, not that the first is missing
	}
	return nil
}

func (s *fallback) Close() error { return errors.Join(s.first.Close(), s.second.Close()) }
