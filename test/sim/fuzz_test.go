package sim_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/containerd/containerd/api/events"
	sandbox "github.com/containerd/containerd/api/runtime/sandbox/v1"
	api "github.com/containerd/containerd/api/runtime/task/v3"
	types "github.com/containerd/containerd/api/types/task"
	"github.com/containerd/ttrpc"
	"github.com/opencontainers/runtime-spec/specs-go"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/siloshim/siloshim/container/containertest"
	"github.com/siloshim/siloshim/container/engine"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/hcs/hcstest"
	"github.com/siloshim/siloshim/jobobject/jobtest"
	"github.com/siloshim/siloshim/shim/service"
	"github.com/siloshim/siloshim/test/sim"
)

// process identifies a process of a shim. The exec of init is "".
type process struct{ task, exec string }

// states has the state of each process as its events say.
type states struct {
	mu       sync.Mutex // guards the fields below
	now      map[process]types.Status
	failures []string
}

// emit takes an event. Each must be possible in the state of its process.
func (s *states) emit(e any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var p process
	to, from := types.Status_RUNNING, []types.Status{types.Status_CREATED}
	switch e := e.(type) {
	case *events.TaskCreate:
		p, to, from = process{e.ContainerID, ""}, types.Status_CREATED, []types.Status{types.Status_UNKNOWN}
	case *events.TaskExecAdded:
		p, to, from = process{e.ContainerID, e.ExecID}, types.Status_CREATED, []types.Status{types.Status_UNKNOWN}
	case *events.TaskStart:
		p = process{e.ContainerID, ""}
	case *events.TaskExecStarted:
		p = process{e.ContainerID, e.ExecID}
	case *events.TaskPaused:
		p, to, from = process{e.ContainerID, ""}, types.Status_PAUSED, []types.Status{types.Status_RUNNING}
	case *events.TaskResumed:
		p, from = process{e.ContainerID, ""}, []types.Status{types.Status_PAUSED}
	case *events.TaskExit:
		p, to, from = process{e.ContainerID, e.ID}, types.Status_STOPPED, []types.Status{types.Status_CREATED, types.Status_RUNNING, types.Status_PAUSED}
		if e.ID == e.ContainerID {
			p.exec = ""
		}
	case *events.TaskDelete:
		p, to, from = process{e.ContainerID, e.ID}, types.Status_UNKNOWN, []types.Status{types.Status_CREATED, types.Status_STOPPED}
	default:
		return
	}
	if !slices.Contains(from, s.now[p]) {
		s.failures = append(s.failures, fmt.Sprintf("event %T of %+v, which is %v", e, p, s.now[p]))
	}
	s.now[p] = to
	if to == types.Status_UNKNOWN {
		delete(s.now, p)
		if p.exec == "" {
			for other := range s.now {
				if other.task == p.task {
					delete(s.now, other)
				}
			}
		}
	}
}

// list copies the states, and takes the failures.
func (s *states) list() (map[process]types.Status, []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := map[process]types.Status{}
	for p, now := range s.now {
		list[p] = now
	}
	failures := s.failures
	s.failures = nil
	return list, failures
}

// newStates makes an empty table.
func newStates() *states { return &states{now: map[process]types.Status{}} }

// FuzzRequests sends the requests of an input to a shim on a simulated machine. None makes the shim panic. The events lead
// to the states that State returns, each event is possible in the state before, and at the end no task, handle or goroutine
// is left, and nothing of a Windows Server container.
func FuzzRequests(f *testing.F) {
	// The number of a request is its place in next; the first byte is the bundle.
	for _, seed := range [][]byte{
		{0, 1, 0, 0, 2, 0, 0, 0, 5, 0, 2, 0, 3, 0, 2, 0, 9, 0, 0, 10, 0, 0, 12, 0, 0, 13, 0, 0, 7, 0, 0, 0, 8, 0, 0},
		{0, 20, 2, 0, 0, 0, 0, 0, 0, 21, 2, 0, 23, 2, 0, 26, 2, 0, 24, 2, 0, 22, 2, 5, 0, 0, 0, 25, 2},
		{0, 1, 0, 0, 2, 0, 0, 0, 11, 0, 0, 1, 0, 0, 0, 16, 0, 0, 1, 1, 1, 0, 6, 0, 0, 15, 0, 0, 0, 14, 0, 0},
		{0, 29, 4, 1, 2, 3, 4, 0, 0, 0, 29, 2, 10, 0, 1, 5, 3, 0, 0, 0xF1, 9, 0, 4, 0, 2, 0, 3, 4, 5, 1, 0xC1},
		{0, 1, 0, 0, 2, 0, 0, 0, 5, 0, 2, 0, 5, 0, 3, 0, 2, 0, 2, 0, 9, 0, 0, 7, 0, 2, 0, 10, 0, 0, 19, 0, 0, 8, 0, 2},
		{4, 1, 0, 0, 2, 0, 0, 0, 5, 0, 2, 0, 3, 0, 2, 0, 9, 0, 0, 10, 0, 0, 11, 0, 0, 0, 12, 0, 0, 13, 0, 0, 7, 0, 0, 0, 8, 0, 0},
		{4, 1, 0, 0, 2, 0, 0, 4, 1, 1, 0, 2, 1, 0, 0, 6, 0, 0, 1, 0, 0, 0, 8, 0, 0, 0, 8, 1, 0, 4, 1, 0, 0, 2, 0, 0, 0, 19, 0},
		{4, 20, 2, 0, 0, 0, 0, 0, 0, 21, 2, 4, 1, 0, 0, 2, 0, 0, 0, 26, 2, 0, 22, 2, 5, 0, 0, 0, 25, 2},
	} {
		f.Add(seed)
	}
	bundles := []string{f.TempDir(), f.TempDir(), "/missing", "", f.TempDir()}
	write := func(dir string, text []byte) {
		if err := os.WriteFile(filepath.Join(dir, "config.json"), text, 0o600); err != nil {
			f.Fatal(err)
		}
	}
	write(bundles[0], sim.JSON(f, &specs.Spec{
		Version: specs.Version, Process: sim.Process("sleep"), Root: &specs.Root{}, Windows: &specs.Windows{},
		Annotations: map[string]string{"microsoft.com/hostprocess-container": "true", "microsoft.com/hostprocess-inherit-user": "true"},
	}))
	write(bundles[1], []byte(`{"process":{"args":[`))
	write(bundles[server], sim.JSON(f, &specs.Spec{
		Version: specs.Version, Process: sim.Process("sleep"), Root: &specs.Root{}, Hostname: "box",
		Windows: &specs.Windows{
			LayerFolders:   []string{`C:\layers\1`, `C:\layers\0`, `C:\scratch\c`},
			Network:        &specs.WindowsNetwork{EndpointList: []string{"9d3e3f0a-59d6-4d0f-a7f6-04c1a5b3c001"}},
			CredentialSpec: `{"CmsPlugins":["ActiveDirectory"]}`,
		},
	}))
	silenceLog(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		synctest.Test(t, func(t *testing.T) { sendAll(t, data, bundles) })
	})
}

// sendAll sends the requests of an input, in a bubble.
func sendAll(t *testing.T, data []byte, bundles []string) {
	table := newStates()
	w := &sim.WCOWWorld{
		World: &sim.World{Kernel: jobtest.New(), Served: make(chan error, 1)}, Service: hcstest.New(), Machine: &containertest.Machine{},
	}
	w.Kernel.Program("workload.exe", func(p *jobtest.Proc) uint32 { <-p.Done(); return 0 })
	w.Service.Program("workload.exe", func(p *hcstest.Proc) uint32 { <-p.Done(); return 0 })
	w.HCS = &hcs.Client{Service: w.Service}
	w.ServeInMemory(service.Config{
		Namespace: "ns", Engine: engine.Engine{Kernel: w.Kernel, Service: w.HCS, Storage: w.Machine, Network: w.Machine}, Emit: table.emit,
		Machine: plan.Machine{
			Lookup:  func(path string) bool { return path == sim.Program },
			Resolve: func(path string) (string, error) { return path, nil },
		},
	})
	in, sent := input(data), []string{}
	for n := 0; n < 40 && len(in) > 0; n++ {
		call := in.next(bundles)
		sent = append(sent, call.String())
		// Some requests wait for an end that does not come. The time is that of the bubble.
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		err := w.Client.Call(ctx, call.service, call.method, call.request, new(emptypb.Empty))
		cancel()
		if errors.Is(err, ttrpc.ErrClosed) {
			break // it was a shutdown
		}
		if err != nil && strings.Contains(err.Error(), "panic in the shim") {
			t.Fatalf("%v\n%s", err, strings.Join(sent, "\n"))
		}
		synctest.Wait()
		if failure := table.compare(t, w.World); failure != "" {
			t.Fatalf("%s\n%s", failure, strings.Join(sent, "\n"))
		}
	}
	end(t, w, table, sent)
}

// compare compares the states with those of the shim. A start that has failed has no event.
func (s *states) compare(t *testing.T, w *sim.World) string {
	want, failures := s.list()
	if len(failures) > 0 {
		return strings.Join(failures, "\n")
	}
	for p, status := range want {
		r, err := w.State(t.Context(), &api.StateRequest{ID: p.task, ExecID: p.exec})
		if errors.Is(err, ttrpc.ErrClosed) {
			return ""
		}
		if err != nil {
			return fmt.Sprintf("state of %+v: %v, the events lead to %v", p, err, status)
		}
		init := want[process{p.task, ""}]
		switch {
		case r.Status == status, p.exec != "" && init == types.Status_PAUSED && status == types.Status_RUNNING && r.Status == types.Status_PAUSED:
		case status == types.Status_CREATED && r.Status == types.Status_STOPPED:
			s.mu.Lock()
			s.now[p] = types.Status_STOPPED
			s.mu.Unlock()
		default:
			return fmt.Sprintf("state of %+v is %v, the events lead to %v", p, r.Status, status)
		}
	}
	return ""
}

// end removes all tasks and ends the shim. Nothing may be left.
func end(t *testing.T, w *sim.WCOWWorld, table *states, sent []string) {
	for _, id := range []string{"p", "a", "b"} { // a shim that has ended answers none of these
		_, _ = w.Kill(t.Context(), &api.KillRequest{ID: id, Signal: 9, All: true})
	}
	left, _ := table.list()
	for p := range left {
		if p.exec == "" {
			_, _ = w.Kill(t.Context(), &api.KillRequest{ID: p.task, Signal: 9, All: true})
			_, _ = w.Wait(t.Context(), &api.WaitRequest{ID: p.task})
			_, _ = w.Delete(t.Context(), &api.DeleteRequest{ID: p.task})
		}
	}
	for _, id := range []string{"a", "b", "p"} {
		_ = w.Client.Call(t.Context(), sandboxes, "ShutdownSandbox", &sandbox.ShutdownSandboxRequest{SandboxID: id}, new(emptypb.Empty))
	}
	_, _ = w.Shutdown(t.Context(), &api.ShutdownRequest{Now: true})
	if err := errors.Join(w.Client.Close(), <-w.Served); err != nil {
		t.Errorf("%v\n%s", err, strings.Join(sent, "\n"))
	}
	w.Kernel.Wait()
	w.NothingLeft(t)
	synctest.Wait()
	left, failures := table.list()
	if n := w.Kernel.OpenHandles(); n != 0 || len(left) > 0 || len(failures) > 0 {
		t.Errorf("%d handles and the tasks %v are left; %v\n%s", n, left, failures, strings.Join(sent, "\n"))
	}
}
