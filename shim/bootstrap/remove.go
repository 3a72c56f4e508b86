package bootstrap

import (
	"context"
	"fmt"
	"time"

	task "github.com/containerd/containerd/api/runtime/task/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// cleanupTimeout leaves a second of the five after which containerd kills delete.
const cleanupTimeout = 3500 * time.Millisecond

// killed is the exit status of a container whose shim has died: the kernel ended it with the shim's job.
const killed = 128 + 9

// remove is the verb delete: it ends the shim if that still runs, releases what it left, and writes how its container
// ended. It never takes longer than cleanupTimeout, whatever the clean-up waits for.
func remove(ctx context.Context, p Process, f flags, s Shim) error {
	if err := f.validate(); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	params := Params{
		ID: f.id, Namespace: f.namespace, Bundle: f.bundle,
		GRPCAddress: f.address, TTRPCAddress: p.Getenv("TTRPC_ADDRESS"),
	}
	ctx, cancel := context.WithTimeout(ctx, cleanupTimeout)
	defer cancel()
	for _, err := range []error{endLiving(ctx, params), crashPath(f.bundle, f.id).report(p.Stderr)} {
		if err != nil {
			fmt.Fprintf(p.Stderr, "delete: %s\n", oneLine(err)) // a warning in containerd's log
		}
	}
	if err := cleanup(ctx, params, s); err != nil {
		return fmt.Errorf("delete %s: %w", f.id, err)
	}
	data, err := proto.Marshal(&task.DeleteResponse{ExitStatus: killed, ExitedAt: timestamppb.Now()})
	if err != nil {
		return fmt.Errorf("delete %s: encode the reply: %w", f.id, err)
	}
	if _, err := p.Stdout.Write(data); err != nil {
		return fmt.Errorf("delete %s: write the reply: %w", f.id, err)
	}
	return nil
}

// cleanup gives up on a clean-up that overruns: its goroutine ends with the process.
func cleanup(ctx context.Context, p Params, s Shim) error {
	done := make(chan error, 1)
	go func() { done <- s.Cleanup(ctx, p) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("clean up: not done after %s: %w", cleanupTimeout, ctx.Err())
	}
}
