package sim_test

import (
	"context"
	"encoding/binary"
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
	apitypes "github.com/containerd/containerd/api/types"
	types "github.com/containerd/containerd/api/types/task"
	"github.com/containerd/ttrpc"
	"github.com/opencontainers/runtime-spec/specs-go"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
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

// input is read as requests. Behind its end it is zeros.
type input []byte

func (in *input) byte() (b byte) {
	if len(*in) > 0 {
		b, *in = (*in)[0], (*in)[1:]
	}
	return b
}

// bytes are up to 63 of the input.
func (in *input) bytes() []byte {
	n := min(int(in.byte())&63, len(*in))
	b := (*in)[:n]
	*in = (*in)[n:]
	return b
}

func (in *input) number() uint32 {
	return binary.LittleEndian.Uint32([]byte{in.byte(), in.byte(), 0, in.byte()})
}

// one is one of the texts, or with a high byte text of the input.
func (in *input) one(texts ...string) string {
	n := in.byte()
	if n >= 0xF0 {
		return strings.ToValidUTF8(string(in.bytes()), "?")
	}
	return texts[int(n)%len(texts)]
}

func (in *input) task() string { return in.one("a", "b", "p") }
func (in *input) exec() string { return in.one("", "", "x", "y", "a") }

// stream is where a stream leads: nowhere, or to what cannot be opened. Text of the input could name a file or a program.
func (in *input) stream() string {
	return []string{"", "", "", "/missing/socket", "npipe://server/pipe/x", "file://", "file:///", "binary://?x", "binary:///?%zz", "fifo:///x", "%", "\x00"}[int(in.byte())%12]
}

// any is a message of some type with JSON or bytes of the input.
func (in *input) any(json ...string) *anypb.Any {
	url := in.one(sim.ResourcesURL, "types.containerd.io/opencontainers/runtime-spec/1/Process", "containerd.runhcs.v1.Options", "runtimeoptions.v1.Options", "")
	if n := in.byte(); n < 0xC0 {
		return &anypb.Any{TypeUrl: url, Value: []byte(json[int(n)%len(json)])}
	}
	if value := in.bytes(); len(value) > 0 && !strings.Contains(url, "runtimeoptions") { // those may name a file to read
		return &anypb.Any{TypeUrl: url, Value: value}
	}
	return nil
}

// fuzzCall is one request.
type fuzzCall struct {
	service, method string
	request         proto.Message
}

func (c fuzzCall) String() string {
	if raw, is := c.request.(*emptypb.Empty); is { // protobuf cannot print what it cannot parse
		return fmt.Sprintf("%s %x", c.method, raw.ProtoReflect().GetUnknown())
	}
	return fmt.Sprintf("%s %v", c.method, c.request)
}

// The services.
const (
	tasksV3, tasksV2 = "containerd.task.v3.Task", "containerd.task.v2.Task"
	sandboxes        = "containerd.runtime.sandbox.v1.Sandbox"
)

// server is the place of the bundle of a Windows Server container.
const server = 4

// next reads one request. bundles are directories that a request may name.
func (in *input) next(bundles []string) fuzzCall {
	bundle := bundles[int(in.byte())%len(bundles)]
	process := []string{
		`{"args":["C:\\bin\\workload.exe","sleep"],"cwd":"C:\\"}`, `{"args":["C:\\bin\\workload.exe"],"cwd":"C:\\","env":["A=1"],"terminal":true}`,
		`{"args":["missing.exe"],"cwd":"C:\\"}`, `{"args":[]}`, `null`, `{"args":["`, `{"commandLine":"C:\\bin\\workload.exe \"","cwd":"C:\\"}`,
	}
	resources := []string{`{}`, `{"memory":{"limit":1048576}}`, `{"cpu":{"maximum":5000,"count":1}}`, `{"cpu":{"affinity":[{"mask":1}]}}`, `{"storage":{"iops":1}}`, `[]`}
	calls := []func() fuzzCall{
		func() fuzzCall {
			return fuzzCall{tasksV3, "Create", &api.CreateTaskRequest{ID: in.task(), Bundle: bundle, Terminal: in.byte() > 0xE0, Stdin: in.stream(), Stdout: in.stream(), Stderr: in.stream(), Options: in.any("", `{}`)}}
		},
		func() fuzzCall {
			if bundle != bundles[server] {
				bundle = bundles[0]
			}
			return fuzzCall{tasksV3, "Create", &api.CreateTaskRequest{ID: in.task(), Bundle: bundle}}
		},
		func() fuzzCall {
			return fuzzCall{tasksV3, "Start", &api.StartRequest{ID: in.task(), ExecID: in.exec()}}
		},
		func() fuzzCall {
			return fuzzCall{tasksV3, "Start", &api.StartRequest{ID: in.task(), ExecID: in.exec()}}
		},
		func() fuzzCall {
			return fuzzCall{tasksV3, "Exec", &api.ExecProcessRequest{ID: in.task(), ExecID: in.exec(), Terminal: in.byte() > 0xE0, Stdin: in.stream(), Stdout: in.stream(), Stderr: in.stream(), Spec: in.any(process...)}}
		},
		func() fuzzCall {
			return fuzzCall{tasksV3, "Exec", &api.ExecProcessRequest{ID: in.task(), ExecID: in.exec(), Spec: &anypb.Any{Value: []byte(process[0])}}}
		},
		func() fuzzCall {
			return fuzzCall{tasksV3, "Kill", &api.KillRequest{ID: in.task(), ExecID: in.exec(), Signal: in.number(), All: in.byte() > 0x80}}
		},
		func() fuzzCall {
			return fuzzCall{tasksV3, "Kill", &api.KillRequest{ID: in.task(), ExecID: in.exec(), Signal: 9}}
		},
		func() fuzzCall {
			return fuzzCall{tasksV3, "Delete", &api.DeleteRequest{ID: in.task(), ExecID: in.exec()}}
		},
		func() fuzzCall { return fuzzCall{tasksV3, "Pause", &api.PauseRequest{ID: in.task()}} },
		func() fuzzCall { return fuzzCall{tasksV3, "Resume", &api.ResumeRequest{ID: in.task()}} },
		func() fuzzCall {
			return fuzzCall{tasksV3, "Update", &api.UpdateTaskRequest{ID: in.task(), Resources: in.any(resources...), Annotations: map[string]string{in.one("io.siloshim.best-effort", "x"): in.one("true", "")}}}
		},
		func() fuzzCall { return fuzzCall{tasksV3, "Stats", &api.StatsRequest{ID: in.task()}} },
		func() fuzzCall { return fuzzCall{tasksV3, "Pids", &api.PidsRequest{ID: in.task()}} },
		func() fuzzCall { return fuzzCall{tasksV3, "Wait", &api.WaitRequest{ID: in.task(), ExecID: in.exec()}} },
		func() fuzzCall {
			return fuzzCall{tasksV3, "CloseIO", &api.CloseIORequest{ID: in.task(), ExecID: in.exec(), Stdin: in.byte() > 0x80}}
		},
		func() fuzzCall {
			return fuzzCall{tasksV3, "ResizePty", &api.ResizePtyRequest{ID: in.task(), ExecID: in.exec(), Width: in.number(), Height: in.number()}}
		},
		func() fuzzCall { return fuzzCall{tasksV3, "Connect", &api.ConnectRequest{ID: in.task()}} },
		func() fuzzCall {
			return fuzzCall{tasksV3, "Checkpoint", &api.CheckpointTaskRequest{ID: in.task(), Path: in.one("x")}}
		},
		func() fuzzCall { return fuzzCall{tasksV3, "Shutdown", &api.ShutdownRequest{ID: in.task()}} },
		func() fuzzCall {
			return fuzzCall{sandboxes, "CreateSandbox", &sandbox.CreateSandboxRequest{
				SandboxID: in.task(), BundlePath: bundle, Options: &anypb.Any{TypeUrl: in.one("runtime.v1.PodSandboxConfig", ""), Value: in.bytes()},
				NetnsPath: in.one("", "n"), Rootfs: []*apitypes.Mount{{Type: in.one("windows-layer")}}[:int(in.byte())>>7],
			}}
		},
		func() fuzzCall {
			return fuzzCall{sandboxes, "StartSandbox", &sandbox.StartSandboxRequest{SandboxID: in.task()}}
		},
		func() fuzzCall {
			return fuzzCall{sandboxes, "StopSandbox", &sandbox.StopSandboxRequest{SandboxID: in.task(), TimeoutSecs: in.number()}}
		},
		func() fuzzCall {
			return fuzzCall{sandboxes, "SandboxStatus", &sandbox.SandboxStatusRequest{SandboxID: in.task(), Verbose: true}}
		},
		func() fuzzCall {
			return fuzzCall{sandboxes, "Platform", &sandbox.PlatformRequest{SandboxID: in.task()}}
		},
		func() fuzzCall {
			return fuzzCall{sandboxes, "WaitSandbox", &sandbox.WaitSandboxRequest{SandboxID: in.task()}}
		},
		func() fuzzCall {
			return fuzzCall{sandboxes, "SandboxMetrics", &sandbox.SandboxMetricsRequest{SandboxID: in.task()}}
		},
		func() fuzzCall { return fuzzCall{sandboxes, "PingSandbox", &sandbox.PingRequest{SandboxID: in.task()}} },
		func() fuzzCall {
			return fuzzCall{sandboxes, "UpdateSandbox", &sandbox.UpdateSandboxRequest{SandboxID: in.task()}}
		},
		func() fuzzCall {
			// Bytes of the input in place of a message. Those that lead to a file or a program are left out.
			raw := new(emptypb.Empty)
			if b := in.bytes(); !slices.Contains(b, ':') {
				raw.ProtoReflect().SetUnknown(b)
			}
			return fuzzCall{in.one(tasksV3, tasksV2, sandboxes), in.one("Create", "Exec", "Kill", "State", "Update", "CreateSandbox", "Wait", "None"), raw}
		},
	}
	return calls[int(in.byte())%len(calls)]()
}

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
