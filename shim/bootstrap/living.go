package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	task "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"github.com/containerd/ttrpc"

	"github.com/siloshim/siloshim/container/plan"
)

// livingTimeout bounds the end of a shim that containerd has given up but that is still there. The clean-up comes after
// it, and containerd waits for both.
const livingTimeout = 1500 * time.Millisecond

// endLiving ends the shim of a container, should it still run: containerd calls delete for one that it cannot reach any
// more, too, and nobody else would ever end that. A workload's shim is that of its pod, and stays.
func endLiving(ctx context.Context, p Params) error {
	annotations, err := plan.Annotations(p.Bundle)
	if err != nil {
		return nil // without a spec there never was a shim
	}
	if role, _, err := plan.RoleOf(p.ID, annotations); err != nil || role == plan.Workload {
		return nil
	}
	address, err := os.ReadFile(filepath.Join(p.Bundle, addressFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find the shim: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, livingTimeout)
	defer cancel()
	conn, err := dial(ctx, string(address))
	if err != nil {
		return nil // it is gone, which is what delete is for
	}
	client := ttrpc.NewClient(conn)
	defer func() { _ = client.Close() }() // again, where it was closed below
	service := task.NewTTRPCTaskClient(client)
	shim, err := service.Connect(ctx, &task.ConnectRequest{ID: p.ID})
	if err != nil {
		return fmt.Errorf("the shim is there and does not answer: %w", err)
	}
	// Containerd calls delete as well after each delete in order. What the shim has then is not of this container: a
	// sandbox may go before its workloads.
	_, err = service.State(ctx, &task.StateRequest{ID: p.ID})
	if errdefs.IsNotFound(errgrpc.ToNative(err)) {
		return nil
	}
	ended, err := watch(shim.GetShimPid())
	if err != nil {
		return fmt.Errorf("end the shim: %w", err)
	}
	if _, err := service.Shutdown(ctx, &task.ShutdownRequest{ID: p.ID, Now: true}); err != nil && !errors.Is(err, ttrpc.ErrClosed) {
		return fmt.Errorf("end the shim: %w", err)
	}
	_ = client.Close() // the shim stays for its clients
	return ended(ctx)
}
