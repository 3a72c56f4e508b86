package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/Microsoft/go-winio"
	api "github.com/containerd/containerd/api/runtime/task/v2"
	events "github.com/containerd/containerd/api/services/ttrpc/events/v1"
	"github.com/containerd/ttrpc"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/siloshim/siloshim/test/workload"
)

const namespace = "bench"

var serial int

// shim is a running shim with a client. The client uses version 2 of the Task API, which both kinds serve.
type shim struct {
	api.TTRPCTaskService
	kind   *kind
	id     string
	bundle string
	conn   *ttrpc.Client
	events *ttrpc.Server
	stdout string // of init
	pid    uint32
}

// sink receives events, as containerd does.
type sink struct{}

func (sink) Forward(context.Context, *events.ForwardRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// startShim starts a shim for a bundle and records how long it took until it answered.
func startShim(ctx context.Context, k *kind, dir string, args ...string) (*shim, error) {
	serial++
	s := &shim{kind: k, id: fmt.Sprintf("%s%d", k.name, serial)}
	s.bundle = filepath.Join(dir, s.id)
	if err := os.Mkdir(s.bundle, 0o755); err != nil {
		return nil, err
	}
	if err := workload.Write(filepath.Join(s.bundle, "config.json"), k.spec(args...)); err != nil {
		return nil, err
	}
	if err := s.serveEvents(); err != nil {
		return nil, err
	}
	began := time.Now()
	out, err := s.command(ctx, "start").Output()
	if err != nil {
		return nil, fmt.Errorf("start: %w", withStderr(err))
	}
	conn, err := winio.DialPipeContext(ctx, strings.TrimSpace(string(out)))
	if err != nil {
		return nil, fmt.Errorf("dial %q: %w", out, err)
	}
	s.conn = ttrpc.NewClient(conn)
	s.TTRPCTaskService = api.NewTTRPCTaskClient(s.conn)
	_, err = s.State(ctx, &api.StateRequest{ID: s.id})
	if _, answered := status.FromError(err); err == nil || !answered {
		return nil, fmt.Errorf("state of a task that was not created: %w", err)
	}
	k.time("start and first answer", began)
	return s, nil
}

// end ends the shim and its connections.
func (s *shim) end() {
	_, _ = s.Shutdown(context.Background(), &api.ShutdownRequest{ID: s.id, Now: true}) // it may have exited
	_ = s.conn.Close()
	_ = s.events.Close()
}

// command prepares the shim's executable with a verb.
func (s *shim) command(ctx context.Context, verb string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, s.kind.exe, "-namespace", namespace, "-address", `\\.\pipe\none`,
		"-publish-binary", "none", "-id", s.id, "-bundle", s.bundle, verb)
	cmd.Dir = s.bundle
	cmd.Env = append(os.Environ(), "TTRPC_ADDRESS="+s.eventsPipe(), "MAX_SHIM_VERSION=2")
	return cmd
}

func (s *shim) eventsPipe() string { return fmt.Sprintf(`\\.\pipe\peers-%d-%s`, os.Getpid(), s.id) }

func (s *shim) serveEvents() error {
	l, err := winio.ListenPipe(s.eventsPipe(), nil)
	if err != nil {
		return err
	}
	if s.events, err = ttrpc.NewServer(); err != nil {
		return errors.Join(err, l.Close())
	}
	events.RegisterTTRPCEventsService(s.events, sink{})
	go func() { _ = s.events.Serve(context.Background(), l) }() // end closes it
	return nil
}

// withStderr adds the program's standard error to an error.
func withStderr(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return fmt.Errorf("%w: %s", err, exit.Stderr)
	}
	return err
}
