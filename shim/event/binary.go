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
)

// Binary sends through containerd's command `publish`, which daemons have that take no events by ttrpc. Each event is a
// process of its own. The event's time is lost: containerd notes when it came.
type Binary struct{ path, address string }

// NewBinary makes a sender that runs containerd's program at path, for the daemon whose gRPC service is at address.
func NewBinary(path, address string) *Binary { return &Binary{path: path, address: address} }

// Arguments are those of containerd's program for an event.
func (b *Binary) Arguments(e *types.Envelope) []string {
	return []string{"--address", b.address, "publish", "--topic", e.Topic, "--namespace", e.Namespace}
}

// lastWords bounds what is kept of what the program says, and how long its end may take once ctx has ended.
const (
	lastWords = 512
	leaving   = 250 * time.Millisecond
)

// Forward runs the program to its end. It is ended with ctx.
func (b *Binary) Forward(ctx context.Context, e *types.Envelope) error {
	event, err := proto.Marshal(e.Event)
	if err != nil {
		return fmt.Errorf("encode event: %w", err)
	}
	var words tail
	cmd := exec.CommandContext(ctx, b.path, b.Arguments(e)...)
	cmd.Stdin, cmd.Stderr, cmd.WaitDelay = bytes.NewReader(event), &words, leaving
	err = cmd.Run()
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil // it has ended well, and somebody that it left behind holds its standard error
	}
	if err != nil {
		return fmt.Errorf("publish event: %w: %s", errors.Join(err, ctx.Err()), bytes.TrimSpace(words))
	}
	return nil
}

// Close does nothing: a sender holds nothing between two events.
func (b *Binary) Close() error { return nil }

// tail keeps the end of what is written.
type tail []byte

func (t *tail) Write(p []byte) (int, error) {
	*t = append(*t, p...)
	*t = (*t)[max(0, len(*t)-lastWords):]
	return len(p), nil
}
