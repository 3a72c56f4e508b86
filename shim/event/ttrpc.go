package event

import (
	"context"
	"fmt"
	"sync"

	api "github.com/containerd/containerd/api/services/ttrpc/events/v1"
	"github.com/containerd/containerd/api/types"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"github.com/containerd/ttrpc"

	"github.com/siloshim/siloshim/internal/pipe"
)

// TTRPC sends to containerd's ttrpc address. It dials with the first event and again after a failure, so it survives
// restarts of containerd. Forward is for one goroutine; Close may be called by any.
type TTRPC struct {
	address string

	// mu guards the field below.
	mu     sync.Mutex
	client *ttrpc.Client
}

// NewTTRPC makes a sender to an address as containerd gives it in TTRPC_ADDRESS.
func NewTTRPC(address string) *TTRPC { return &TTRPC{address: address} }

// Forward sends one event.
func (t *TTRPC) Forward(ctx context.Context, e *types.Envelope) error {
	client, err := t.connected(ctx)
	if err != nil {
		return fmt.Errorf("dial containerd: %w", err)
	}
	if _, err := api.NewTTRPCEventsClient(client).Forward(ctx, &api.ForwardRequest{Envelope: e}); err != nil {
		if err = errgrpc.ToNative(err); !errdefs.IsInvalidArgument(err) {
			_ = t.Close() // a connection that failed is not used again
		}
		return fmt.Errorf("forward event: %w", err)
	}
	return nil
}

func (t *TTRPC) connected(ctx context.Context) (*ttrpc.Client, error) {
	t.mu.Lock()
	client := t.client
	t.mu.Unlock()
	if client != nil {
		return client, nil
	}
	conn, err := pipe.Dial(ctx, t.address)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.client = ttrpc.NewClient(conn)
	return t.client, nil
}

// Close closes the connection, if there is one.
func (t *TTRPC) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.client == nil {
		return nil
	}
	err := t.client.Close()
	t.client = nil
	return err
}
