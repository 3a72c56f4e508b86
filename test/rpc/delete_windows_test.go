package rpc

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	api "github.com/containerd/containerd/api/runtime/task/v3"

	"github.com/siloshim/siloshim/test/workload"
)

// TestDelete_ShimRuns_ShimAndProgramEnd: whoever calls delete has given the shim up. Afterwards neither it nor its program is there,
// though a client still waits for the program, and the bundle can be removed with all that was beside it.
func TestDelete_ShimRuns_ShimAndProgramEnd(t *testing.T) {
	s := newShim(t, workload.Spec("sleep", "600"))
	s.create(t, "")
	started, err := s.Start(t.Context(), &api.StartRequest{ID: s.id})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := s.Connect(t.Context(), &api.ConnectRequest{ID: s.id})
	if err != nil {
		t.Fatal(err)
	}
	var processes []*os.Process
	for _, pid := range []uint32{answer.ShimPid, started.Pid} {
		p, err := os.FindProcess(int(pid))
		if err != nil {
			t.Fatal(err)
		}
		processes = append(processes, p)
	}
	waits := make(chan error, 1)
	go func() { // ends with the shim
		_, err := s.Wait(t.Context(), &api.WaitRequest{ID: s.id})
		waits <- err
	}()
	if out, err := s.command(t.Context(), "delete").Output(); err != nil || len(out) == 0 {
		t.Errorf("delete: %v, %d bytes of answer", err, len(out))
	}
	for _, p := range processes {
		if _, err := p.Wait(); err != nil {
			t.Errorf("wait for process %d: %v", p.Pid, err)
		}
	}
	<-waits
	if err := os.RemoveAll(s.bundle); err != nil {
		t.Error(err)
	}
}

// TestDelete_ShimIsExiting_EventsArrive: containerd calls delete as soon as a shim hangs up, which may still have events to tell. There
// is nothing to warn of, the events arrive, and nothing is left.
func TestDelete_ShimIsExiting_EventsArrive(t *testing.T) {
	s := newShim(t, workload.Spec("sleep", "600"), func(s *shim) { s.silent = true })
	s.create(t, "")
	if _, err := s.Delete(t.Context(), &api.DeleteRequest{ID: s.id}); err != nil {
		t.Fatal(err)
	}
	_, _ = s.Shutdown(t.Context(), &api.ShutdownRequest{ID: s.id}) // the answer may not make it, see leave
	var warnings bytes.Buffer
	cmd := s.command(t.Context(), "delete")
	cmd.Stderr = &warnings
	if err := cmd.Run(); err != nil || warnings.Len() > 0 {
		t.Errorf("delete: %v, %s", err, &warnings)
	}
	s.serveEvents(t)
	_, _ = s.process.Wait() // not a child's: it tells no status
	if got, want := s.events.String(), "/tasks/create /tasks/delete"; got != want {
		t.Errorf("events %q, want %q", got, want)
	}
	left := filepath.Join(filepath.Dir(s.bundle), "."+s.id+".panic")
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is left: %v", left, err)
	}
}
