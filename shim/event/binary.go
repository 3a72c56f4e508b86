package event

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"

	"github.com/containerd/containerd/api/types"
	"google.golang.org/protobuf/proto"

	"github.com/siloshim/siloshim/internal/subprocess"
)

// Binary sends through containerd's command `publish`, for daemons that receive no events by ttrpc. It starts a process
// for each event. The event's time is lost: containerd records when the event arrived.
type Binary struct{ path, address string }

// NewBinary makes a sender that runs containerd's program at path, for the daemon whose gRPC service is at address.
func NewBinary(path, address string) *Binary { return &Binary{path: path, address: address} }

// Arguments returns those of containerd's program for an event.
func (b *Binary) Arguments(e *types.Envelope) []string {
	return []string{"--address", b.address, "publish", "--topic", e.Topic, "--namespace", e.Namespace}
}

const (
	maxStderr = 512                    // bytes of standard error that an error has
	waitDelay = 250 * time.Millisecond // for the end of the program once ctx has ended
)

// Forward runs the program to its end. It is ended with ctx.
func (b *Binary) Forward(ctx context.Context, e *types.Envelope) error {
	event, err := proto.Marshal(e.Event)
	if err != nil {
		return fmt.Errorf("encode event: %w", err)
	}
	var stderr tail
	cmd := exec.CommandContext(ctx, b.path, b.Arguments(e)...)
	cmd.Stdin, cmd.Stderr, cmd.WaitDelay = bytes.NewReader(event), &stderr, waitDelay
	subprocess.SeparateConsole(cmd)
	err = cmd.Run()
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil // it has succeeded, and a process that it started holds its standard error
	}
	if err != nil {
		return fmt.Errorf("publish event: %w: %s", errors.Join(err, ctx.Err()), bytes.TrimSpace(stderr))
	}
	return nil
}

// Close does nothing: nothing is open between two events.
func (b *Binary) Close() error { return nil }

// tail keeps the end of what is written.
type tail []byte

func (t *tail) Write(p []byte) (int, error) {
	*t = append(*t, p...)
	*t = (*t)[max(0, len(*t)-maxStderr):]
	return len(p), nil
}
