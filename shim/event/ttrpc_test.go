//go:build !windows

package event_test

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"sync"
	"testing"

	"github.com/containerd/containerd/api/events"
	api "github.com/containerd/containerd/api/services/ttrpc/events/v1"
	"github.com/containerd/containerd/api/types"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"github.com/containerd/ttrpc"
	"github.com/containerd/typeurl/v2"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/siloshim/siloshim/shim/event"
)

// inbox is containerd's events service.
type inbox struct{ topics chan string }

func (i inbox) Forward(_ context.Context, r *api.ForwardRequest) (*emptypb.Empty, error) {
	if r.Envelope.Topic == "" {
		return nil, errgrpc.ToGRPC(errdefs.ErrInvalidArgument)
	}
	i.topics <- r.Envelope.Topic
	return &emptypb.Empty{}, nil
}

// serve starts a containerd that takes events; stop ends it and its connections.
func serve(t *testing.T, address string, i inbox) (stop func()) {
	t.Helper()
	return listenAs(t, address, func(s *ttrpc.Server) { api.RegisterTTRPCEventsService(s, i) })
}

func listenAs(t *testing.T, address string, register func(*ttrpc.Server)) (stop func()) {
	t.Helper()
	l, err := net.Listen("unix", address)
	if err != nil {
		t.Fatal(err)
	}
	server, err := ttrpc.NewServer()
	if err != nil {
		t.Fatal(err)
	}
	register(server)
	done := make(chan error, 1)
	conns := &connections{Listener: l}
	go func() { done <- server.Serve(context.Background(), conns) }()
	return func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		conns.end()
		if err := <-done; !errors.Is(err, ttrpc.ErrServerClosed) {
			t.Error(err)
		}
	}
}

// connections are those of a listener, to be ended as a process's are: the server's own Close leaves them a moment.
type connections struct {
	net.Listener
	mu  sync.Mutex // guards the field below
	all []net.Conn
}

func (l *connections) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, c)
	return c, nil
}

func (l *connections) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.all {
		_ = c.Close() // the server may have
	}
}

func TestTTRPC_ContainerdRestarts_EventsArrive(t *testing.T) {
	address := filepath.Join(t.TempDir(), "s")
	i := inbox{topics: make(chan string, 3)}
	s := event.NewTTRPC("unix://" + address)
	send := func(topic string) error { return s.Forward(t.Context(), &types.Envelope{Topic: topic}) }

	if err := send("too early"); err == nil {
		t.Error("an event was accepted without a listener")
	}
	stop := serve(t, address, i)
	if err := send("one"); err != nil {
		t.Error(err)
	}
	if err := send(""); !errdefs.IsInvalidArgument(err) {
		t.Errorf("an event without a topic: %v, want an invalid argument", err)
	}
	if err := send("two"); err != nil {
		t.Error(err)
	}
	stop()
	if err := send("lost"); err == nil {
		t.Error("an event was taken by a containerd that is gone")
	}
	defer serve(t, address, i)()
	if err := send("three"); err != nil {
		t.Errorf("after the restart: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	close(i.topics)
	var got []string
	for topic := range i.topics {
		got = append(got, topic)
	}
	if diff := cmp.Diff([]string{"one", "two", "three"}, got); diff != "" {
		t.Errorf("taken (-want +got):\n%s", diff)
	}
}

// TestNewSender_NoEventsService_UsesBinary: the server at the ttrpc address has no events service; containerd's program is used.
func TestNewSender_NoEventsService_UsesBinary(t *testing.T) {
	path, taken := command(t)
	address := filepath.Join(t.TempDir(), "s")
	defer listenAs(t, address, func(*ttrpc.Server) {})()
	s := event.NewSender("unix://"+address, path, "/grpc")
	body, err := typeurl.MarshalAnyToProto(&events.TaskStart{ContainerID: "c"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Forward(t.Context(), &types.Envelope{Topic: "/tasks/start", Namespace: "ns", Event: body}); err != nil {
		t.Error(err)
	}
	if want := "--address /grpc publish --topic /tasks/start --namespace ns: c\n"; taken() != want {
		t.Errorf("taken %q, want %q", taken(), want)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
