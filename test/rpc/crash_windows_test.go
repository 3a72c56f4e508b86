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

// crash ends the shim's process, as the system does after a fault.
func (s *shim) crash(t *testing.T) {
	t.Helper()
	if err := s.process.Kill(); err != nil {
		t.Fatal(err)
	}
	_, _ = s.process.Wait() // not a child: there is no status
}

// checkDeleted checks that each delete succeeds, reports the exit status, and leaves no process. On Wine the empty job may
// exist longer, until the last handle of a member is closed.
func (s *shim) checkDeleted(t *testing.T) {
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
		t.Errorf("processes %v remain, %v", pids, err)
	}
}

// The shim's process ends at some moments of a container's life; delete removes everything. The simulated kernel tests every
// moment. Here the process tree is complete first: on Wine a process stays in its job forever if its parent was killed while
// creating it.
func TestCrash_AtEachMoment_DeleteRemovesAll(t *testing.T) {
	moments := []struct {
		name string
		act  func(*testing.T, *shim, *screen)
	}{
		{"created", func(t *testing.T, s *shim, out *screen) { s.create(t, out.path) }},
		{"started", func(t *testing.T, s *shim, out *screen) { s.start(t, ""); out.until(t, "\n0 ") }},
		{"with an exec", func(t *testing.T, s *shim, _ *screen) { s.spawn(t, "e", "sleep", "600"); s.start(t, "e") }},
		{"during a kill", func(t *testing.T, s *shim, _ *screen) {
			go func() { // it may fail: the shim exits meanwhile
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
			s.crash(t)
			s.checkDeleted(t)
		})
	}
}
