package rpc

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/Microsoft/go-winio"
	api "github.com/containerd/containerd/api/runtime/task/v3"
	events "github.com/containerd/containerd/api/services/ttrpc/events/v1"
	"github.com/containerd/ttrpc"
	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/test/workload"
)

// listen receives events at the shim's address. stop lets an event in progress be answered.
func (s *shim) listen(t *testing.T) (stop func()) {
	t.Helper()
	l, err := winio.ListenPipe(s.eventsPipe(), nil)
	if err != nil {
		t.Fatal(err)
	}
	server, err := ttrpc.NewServer()
	if err != nil {
		t.Fatal(err)
	}
	events.RegisterTTRPCEventsService(server, s.events)
	served := make(chan error, 1)
	go func() { served <- server.Serve(context.Background(), l) }()
	return func() {
		if err := server.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, ttrpc.ErrServerClosed) {
			t.Error(err)
		}
	}
}

// Execs start and exit while no receiver runs, repeatedly. In the end all events have arrived, in order. Only an event that
// was received but not answered may come twice.
func TestEvents_ReceiverRestarts_AllArriveInOrder(t *testing.T) {
	const rounds = 10
	s := newShim(t, workload.Spec("sleep", "600"), func(s *shim) { s.silent = true })
	stop := s.listen(t)
	s.create(t, "")
	s.start(t, "")
	want := []string{"/tasks/create", "/tasks/start"}
	for i := range rounds {
		stop()
		exec := fmt.Sprint("e", i)
		s.spawn(t, exec, "exit", "0")
		s.start(t, exec)
		if i%2 == 0 {
			stop = s.listen(t)
		}
		if _, err := s.Wait(t.Context(), &api.WaitRequest{ID: s.id, ExecID: exec}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Delete(t.Context(), &api.DeleteRequest{ID: s.id, ExecID: exec}); err != nil {
			t.Fatal(err)
		}
		if i%2 != 0 {
			stop = s.listen(t)
		}
		want = append(want, "/tasks/exec-added", "/tasks/exec-started", "/tasks/exit", "/tasks/delete")
	}
	if _, err := s.Kill(t.Context(), &api.KillRequest{ID: s.id, Signal: 9}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Wait(t.Context(), &api.WaitRequest{ID: s.id}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Delete(t.Context(), &api.DeleteRequest{ID: s.id}); err != nil {
		t.Fatal(err)
	}
	s.leave(t)
	stop()
	want = append(want, "/tasks/exit", "/tasks/delete")
	s.events.mu.Lock()
	defer s.events.mu.Unlock()
	if diff := cmp.Diff(want, s.events.seen); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if s.events.repeats > rounds {
		t.Errorf("%d events came again in %d restarts", s.events.repeats, rounds)
	}
	t.Logf("%d events, %d restarts, %d came again without an answer", len(want), rounds, s.events.repeats)
}
