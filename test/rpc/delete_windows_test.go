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

// delete means that the caller no longer uses the shim. Afterwards the shim and its program have exited, although a client
// still waits for the program, and the bundle and its neighbouring files can be removed.
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

// containerd calls delete as soon as the shim closes the connection, when it may still have events to send. There is no
// warning, the events arrive, and nothing remains.
func TestDelete_ShimIsExiting_EventsArrive(t *testing.T) {
	s := newShim(t, workload.Spec("sleep", "600"), func(s *shim) { s.silent = true })
	s.create(t, "")
	if _, err := s.Delete(t.Context(), &api.DeleteRequest{ID: s.id}); err != nil {
		t.Fatal(err)
	}
	_, _ = s.Shutdown(t.Context(), &api.ShutdownRequest{ID: s.id}) // the answer may be lost, see leave
	var warnings bytes.Buffer
	cmd := s.command(t.Context(), "delete")
	cmd.Stderr = &warnings
	if err := cmd.Run(); err != nil || warnings.Len() > 0 {
		t.Errorf("delete: %v, %s", err, &warnings)
	}
	s.serveEvents(t)
	_, _ = s.process.Wait() // not a child: there is no status
	if got, want := s.events.String(), "/tasks/create /tasks/delete"; got != want {
		t.Errorf("events %q, want %q", got, want)
	}
	left := filepath.Join(filepath.Dir(s.bundle), "."+s.id+".panic")
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s remains: %v", left, err)
	}
}
