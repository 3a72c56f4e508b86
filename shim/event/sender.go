package event

import (
	"context"
	"errors"
	"fmt"

	"github.com/containerd/containerd/api/types"
	"github.com/containerd/errdefs"
)

// NewSender makes the sender for what a daemon gave the shim: the ttrpc address that takes events, and for a daemon
// without one, or behind whose address nobody takes events, its program and its gRPC address. Any of them may be empty.
func NewSender(ttrpcAddress, binary, grpcAddress string) Sender {
	switch {
	case binary == "":
		return NewTTRPC(ttrpcAddress)
	case ttrpcAddress == "":
		return NewBinary(binary, grpcAddress)
	}
	return &either{first: NewTTRPC(ttrpcAddress), second: NewBinary(binary, grpcAddress)}
}

// either sends by a second way whenever the first is not implemented. It is for one goroutine, but for Close.
type either struct{ first, second Sender }

// Forward asks each time: the next containerd at the address may be a newer one.
func (s *either) Forward(ctx context.Context, e *types.Envelope) error {
	err := s.first.Forward(ctx, e)
	if !errdefs.IsNotImplemented(err) {
		return err
	}
	if second := s.second.Forward(ctx, e); second != nil {
		return fmt.Errorf("%v; %w", err, second) //nolint:errorlint // the kind of the second counts, not that the first lacks it
	}
	return nil
}

func (s *either) Close() error { return errors.Join(s.first.Close(), s.second.Close()) }
