package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	task "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"github.com/containerd/ttrpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/internal/pipe"
	"github.com/siloshim/siloshim/internal/readlimit"
)

// cleanupTimeout leaves a second of the five after which containerd kills delete.
const cleanupTimeout = 3500 * time.Millisecond

// shutdownTimeout bounds the end of a shim that still runs when containerd calls delete. The clean-up comes after it,
// and containerd waits for both.
const shutdownTimeout = 1500 * time.Millisecond

// deleteContainer is the verb delete: it shuts the shim down if that still runs, releases what it left, and writes how
// its container ended. It never takes longer than cleanupTimeout, also when the clean-up hangs.
func deleteContainer(ctx context.Context, p Process, f flags, s Shim) error {
	if err := f.validate(); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	params := Params{
		ID: f.id, Namespace: f.namespace, Bundle: f.bundle,
		GRPCAddress: f.address, TTRPCAddress: p.Getenv("TTRPC_ADDRESS"),
	}
	ctx, cancel := context.WithTimeout(ctx, cleanupTimeout)
	defer cancel()
	for _, err := range []error{shutDownShim(ctx, params), crashPath(f.bundle, f.id).report(p.Stderr)} {
		if err != nil {
			fmt.Fprintf(p.Stderr, "delete: %s\n", oneLine(err)) // a warning in containerd's log
		}
	}
	if err := cleanup(ctx, params, s); err != nil {
		return fmt.Errorf("delete %s: %w", f.id, err)
	}
	data, err := proto.Marshal(&task.DeleteResponse{ExitStatus: container.Killed, ExitedAt: timestamppb.Now()})
	if err != nil {
		return fmt.Errorf("delete %s: encode the reply: %w", f.id, err)
	}
	if _, err := p.Stdout.Write(data); err != nil {
		return fmt.Errorf("delete %s: write the reply: %w", f.id, err)
	}
	return nil
}

// cleanup returns when ctx ends although the clean-up hangs. Its goroutine ends with the process.
func cleanup(ctx context.Context, p Params, s Shim) error {
	done := make(chan error, 1)
	go func() { done <- s.Cleanup(ctx, p) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("clean up: not done within %v: %w", cleanupTimeout, ctx.Err())
	}
}

// shutDownShim ends the shim of a container, should it still run: containerd also calls delete for a shim that it cannot
// reach any more, and never ends that one otherwise. The shim of a workload is that of its pod, and stays.
func shutDownShim(ctx context.Context, p Params) error {
	annotations, err := plan.Annotations(p.Bundle)
	if err != nil {
		return nil // without a spec there never was a shim
	}
	if role, _, err := plan.RoleOf(p.ID, annotations); err != nil || role == plan.Workload {
		return nil
	}
	address, err := readlimit.File(filepath.Join(p.Bundle, addressFile), readlimit.Text)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find the shim: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, shutdownTimeout)
	defer cancel()
	conn, err := pipe.Dial(ctx, string(address))
	if err != nil {
		return nil // the shim is gone, which is the usual reason of delete
	}
	client := ttrpc.NewClient(conn)
	defer func() { _ = client.Close() }() // again, where it was closed below
	service := task.NewTTRPCTaskClient(client)
	shim, err := service.Connect(ctx, &task.ConnectRequest{ID: p.ID})
	if err != nil {
		return callError(ctx, "Connect", address, err)
	}
	// Containerd also calls delete after the Task API's Delete. The shim then has no such container, and may have others:
	// a sandbox may be deleted before its workloads.
	_, err = service.State(ctx, &task.StateRequest{ID: p.ID})
	if errdefs.IsNotFound(errgrpc.ToNative(err)) {
		return nil
	}
	awaitEnd, err := openShim(shim.GetShimPid())
	if err != nil {
		return fmt.Errorf("shut down the shim: %w", err)
	}
	if _, err := service.Shutdown(ctx, &task.ShutdownRequest{ID: p.ID, Now: true}); err != nil && !errors.Is(err, ttrpc.ErrClosed) {
		return callError(ctx, "Shutdown", address, err)
	}
	_ = client.Close() // the shim stays while it has clients
	return awaitEnd(ctx)
}

// callError names the call of a shim that failed, and its bound where that has passed.
func callError(ctx context.Context, call string, address []byte, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("call %s of the shim at %s: no reply within %v: %w", call, address, shutdownTimeout, err)
	}
	return fmt.Errorf("call %s of the shim at %s: %w", call, address, err)
}
