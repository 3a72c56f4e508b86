package rpc

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/Microsoft/go-winio"
	api "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/ttrpc"

	"github.com/siloshim/siloshim/test/workload"
)

var parallelStarts = flag.Int("starts", 8, "shims that are started at once")

// The shims start at the same time. The first dial of each succeeds, and the answer has its pid, which is unique while all
// of them run.
func TestStartsInParallel_FirstDial_Succeeds(t *testing.T) {
	if _, err := os.Stat(exe); err != nil {
		t.Skipf("the shim is not installed here: %v", err)
	}
	pids := make(chan uint32, *parallelStarts)
	var all sync.WaitGroup
	for i := range *parallelStarts {
		s := &shim{id: fmt.Sprintf("p%d-%d", os.Getpid(), i), bundle: t.TempDir()}
		if err := workload.Write(filepath.Join(s.bundle, "config.json"), workload.Spec("exit", "0")); err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			pid, err := s.firstDial(t)
			if err != nil {
				t.Errorf("shim %d: %v", i, err)
				return
			}
			pids <- pid
		})
	}
	all.Wait()
	close(pids)
	seen := map[uint32]bool{}
	for pid := range pids {
		seen[pid] = true
	}
	t.Logf("%d shims, %d answered", *parallelStarts, len(seen))
	if len(seen) != *parallelStarts {
		t.Errorf("%d shims answered their first dial, want %d", len(seen), *parallelStarts)
	}
}

// firstDial starts the shim, dials it once and queries its pid. The shim ends with the test.
func (s *shim) firstDial(t *testing.T) (uint32, error) {
	cmd := s.command(t.Context(), "start")
	cmd.Dir = s.bundle
	out, err := cmd.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("start: %w: %s", err, out)
	}
	conn, err := winio.DialPipeContext(t.Context(), string(out))
	if err != nil {
		return 0, fmt.Errorf("first dial of %q: %w", out, err)
	}
	client := ttrpc.NewClient(conn)
	service := api.NewTTRPCTaskClient(client)
	t.Cleanup(func() {
		_, err := service.Shutdown(context.Background(), &api.ShutdownRequest{ID: s.id, Now: true})
		if err != nil && !errors.Is(err, ttrpc.ErrClosed) { // the shim may exit before it answers, which containerd allows
			t.Errorf("shutdown: %v", err)
		}
		_ = client.Close()
	})
	answer, err := service.Connect(t.Context(), &api.ConnectRequest{ID: s.id})
	if err != nil {
		return 0, fmt.Errorf("connect: %w", err)
	}
	return answer.ShimPid, nil
}
