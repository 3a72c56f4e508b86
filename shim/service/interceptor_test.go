package service

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"github.com/containerd/ttrpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// TestIntercept_Error_OneLineOneClass: containerd prints the text of the shim on one line, with the class at its end only.
func TestIntercept_Error_OneLineOneClass(t *testing.T) {
	boom := errors.New("boom")
	notFound := fmt.Errorf("open a: %w: %w", boom, errdefs.ErrNotFound)
	for _, tt := range []struct {
		name  string
		err   error
		class error
		want  string
	}{
		{"a cause and a class", notFound, errdefs.ErrNotFound, "open a: boom: not found"},
		{"wrapped again", fmt.Errorf("start c: %w", notFound), errdefs.ErrNotFound, "start c: open a: boom: not found"},
		{"several causes", fmt.Errorf("%w; %w: %w", boom, boom, errdefs.ErrUnavailable), errdefs.ErrUnavailable, "boom; boom: unavailable"},
		{"joined", errors.Join(boom, notFound), errdefs.ErrNotFound, "boom; open a: boom: not found"},
		{"joined and joined", errors.Join(errors.Join(boom, boom), notFound), errdefs.ErrNotFound, "boom; boom; open a: boom: not found"},
		{"the text of another", errors.New("line\nline\n"), errdefs.ErrUnknown, "line; line"},
		{"no class", boom, errdefs.ErrUnknown, "boom"},
		{"timeout", fmt.Errorf("Create: no answer after 5m0s: %w", context.DeadlineExceeded), context.DeadlineExceeded,
			"Create: no answer after 5m0s: context deadline exceeded"},
		{"of ttrpc itself", status.Error(codes.Internal, "no request"), errdefs.ErrInternal, "no request"},
		{"a class alone", errdefs.ErrNotImplemented, errdefs.ErrNotImplemented, "not implemented"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := errgrpc.ToNative(roundTrip(t, tt.err))
			if err == nil || err.Error() != tt.want || !errors.Is(err, tt.class) {
				t.Errorf("containerd gets %q of class %v, want %q of class %v", err, errdefs.Resolve(err), tt.want, tt.class)
			}
		})
	}
}

// roundTrip returns what the client of a real ttrpc connection gets if its request fails with err.
func roundTrip(t *testing.T, err error) error {
	t.Helper()
	server, serr := ttrpc.NewServer(ttrpc.WithUnaryServerInterceptor(intercept))
	if serr != nil {
		t.Fatal(serr)
	}
	server.RegisterService(taskV3, &ttrpc.ServiceDesc{Methods: map[string]ttrpc.Method{
		"State": method(func(context.Context, *api.StateRequest) (*api.StateResponse, error) { return nil, err }),
	}})
	l := make(pipes, 1)
	ours, theirs := net.Pipe()
	l <- theirs
	served := make(chan error, 1)
	go func() { served <- server.Serve(t.Context(), l) }()
	client := ttrpc.NewClient(ours)
	_, answer := api.NewTTRPCTaskClient(client).State(t.Context(), &api.StateRequest{ID: "c"})
	if err := client.Close(); err != nil {
		t.Error(err)
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	close(l)
	if err := <-served; !errors.Is(err, ttrpc.ErrServerClosed) {
		t.Error(err)
	}
	return answer
}
