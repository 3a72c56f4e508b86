package bootstrap

import (
	"context"
	"errors"
	"os"
	"testing"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"github.com/containerd/log"
	"github.com/containerd/ttrpc"
	"google.golang.org/protobuf/types/known/emptypb"
)

// modeEnv makes the test program a shim, in one of the ways of testShim.
const modeEnv = "SILOSHIM_BOOTSTRAP_TEST"

func TestMain(m *testing.M) {
	if mode := os.Getenv(modeEnv); mode != "" {
		os.Exit(Main(Self(), testShim{mode: mode}))
	}
	os.Exit(m.Run())
}

// testShim is a shim with one answer. In mode "fail" and "panic" it never gets so far; in mode "crash" a
// goroutine panics on Shutdown.
type testShim struct {
	mode    string
	cleanup func(context.Context, Params) error
}

func (s testShim) Serve(ctx context.Context, p Params) error {
	switch s.mode {
	case "fail":
		return errors.New("no kernel\nto speak of")
	case "panic":
		panic("at the disco")
	}
	log.G(ctx).WithField("level", p.LogLevel).Info("hello from " + p.ID)
	server, err := ttrpc.NewServer()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	service := &service{params: p, end: cancel}
	if s.mode == "crash" {
		service.end = func() { go panic("on another goroutine") }
	}
	api.RegisterTTRPCTaskService(server, service)
	context.AfterFunc(ctx, func() { server.Close() })
	if err := server.Serve(ctx, p.Listener); err != nil && !errors.Is(err, ttrpc.ErrServerClosed) {
		return err
	}
	return nil
}

func (s testShim) Cleanup(ctx context.Context, p Params) error {
	if s.cleanup == nil {
		return nil
	}
	return s.cleanup(ctx, p)
}

// service answers Connect, State and Shutdown. It has the one container that it was started for.
type service struct {
	api.TTRPCTaskService
	params Params
	end    func()
}

func (s *service) Connect(context.Context, *api.ConnectRequest) (*api.ConnectResponse, error) {
	return &api.ConnectResponse{ShimPid: uint32(os.Getpid()), Version: s.params.LogLevel}, nil
}

func (s *service) State(_ context.Context, r *api.StateRequest) (*api.StateResponse, error) {
	if r.ID != s.params.ID {
		return nil, errgrpc.ToGRPC(errdefs.ErrNotFound)
	}
	return &api.StateResponse{ID: r.ID}, nil
}

func (s *service) Shutdown(context.Context, *api.ShutdownRequest) (*emptypb.Empty, error) {
	s.end()
	return &emptypb.Empty{}, nil
}
