package rpc

import (
	"context"
	"errors"
	"testing"
	"time"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	"google.golang.org/protobuf/proto"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/test/workload"
)

// die ends the shim as the system does when something in it goes wrong.
func (s *shim) die(t *testing.T) {
	t.Helper()
	if err := s.process.Kill(); err != nil {
		t.Fatal(err)
	}
	_, _ = s.process.Wait() // not a child's: it tells no status
}

// gone checks that delete succeeds however often it is asked, says how it ended, and leaves no process. The empty job may outlive that on
// Wine, until the last handle of a member is closed.
func (s *shim) gone(t *testing.T) {
	t.Helper()
	for range 3 {
		began := time.Now()
		out, err := s.command(t.Context(), "delete").Output()
		var answer api.DeleteResponse
		if err != nil || proto.Unmarshal(out, &answer) != nil || answer.ExitStatus != 137 {
			t.Errorf("delete: %v, status %d, want 137", err, answer.ExitStatus)
		}
		took(t, "delete", began)
	}
	job, err := jobobject.Open(`Global\silo/`+namespace+"/"+s.id, jobobject.OpenOptions{})
	if errors.Is(err, jobobject.ErrNotExist) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	pids, err := job.Pids()
	if err = errors.Join(err, job.Close()); err != nil || len(pids) > 0 {
		t.Errorf("processes %v are left, %v", pids, err)
	}
}

// TestCrash_AtEachMoment_DeleteRemovesAll ends the shim's process at some moments of a container's life; delete leaves nothing of it. Every moment
// there is has its turn on the simulated kernel. Here the tree stands first: a job on Wine may keep for ever a process whose
// parent was killed in the midst of creating it.
func TestCrash_AtEachMoment_DeleteRemovesAll(t *testing.T) {
	moments := []struct {
		name string
		act  func(*testing.T, *shim, *screen)
	}{
		{"created", func(t *testing.T, s *shim, out *screen) { s.create(t, out.path) }},
		{"started", func(t *testing.T, s *shim, out *screen) { s.start(t, ""); out.until(t, "\n0 ") }},
		{"with an exec", func(t *testing.T, s *shim, _ *screen) { s.spawn(t, "e", "sleep", "600"); s.start(t, "e") }},
		{"during a kill", func(t *testing.T, s *shim, _ *screen) {
			go func() { // it may succeed or not: the shim dies meanwhile
				_, _ = s.Kill(context.Background(), &api.KillRequest{ID: s.id, Signal: 9, All: true})
			}()
		}},
	}
	for upTo := range moments {
		t.Run(moments[upTo].name, func(t *testing.T) {
			s, out := newShim(t, workload.Spec("tree", "2", "600")), newScreen(t)
			for _, m := range moments[:upTo+1] {
				m.act(t, s, out)
			}
			s.die(t)
			s.gone(t)
		})
	}
}
