// Package sim is a shim on simulated machines, for tests of the whole: requests go through ttrpc to the service, and from
// there to jobtest's kernel or hcstest's compute service.
//
// The tests of this package are the harnesses: a random walk compared with a model, a shim that exits or hangs at each of its
// calls, concurrent clients, a soak, and the comparison with containerd's shim for runc. docs/testing.md describes them.
package sim

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/containerd/containerd/api/events"
	api "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/ttrpc"
	"github.com/opencontainers/runtime-spec/specs-go"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/siloshim/siloshim/container/containertest"
	"github.com/siloshim/siloshim/container/engine"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/container/podinfo"
	"github.com/siloshim/siloshim/jobobject/jobtest"
	"github.com/siloshim/siloshim/shim/service"
)

// Program is the path of the simulated program.
const Program = `C:\bin\workload.exe`

// ResourcesURL is the type URL of containerd's client for specs.WindowsResources.
const ResourcesURL = "types.containerd.io/opencontainers/runtime-spec/1/WindowsResources"

// World is a shim on a simulated kernel, and a client of its Task API. All methods are safe for concurrent use.
type World struct {
	api.TTRPCTaskService
	Kernel *jobtest.Kernel
	Pods   podinfo.Store // gets the pods of the containers
	Client *ttrpc.Client
	Served chan error // gets what Serve returns
	// OnEvent is called with each event, if it is set before the first request.
	OnEvent func(any)
	Deaf    chan struct{} // gets a value from each program "deaf" that ignores console events from now on

	mu     sync.Mutex // guards the field below
	events []string
}

// Workload is jobtest's program and "sleep", which runs until it is ended.
func Workload(p *jobtest.Proc) uint32 {
	if p.Args[1] == "sleep" {
		<-p.Done()
		return 0
	}
	return jobtest.Workload(p)
}

// NewWorld starts a shim. It ends with the test, and so do the task "c" and the pod "p".
func NewWorld(t *testing.T) *World {
	t.Helper()
	w := &World{Kernel: jobtest.New(), Pods: new(containertest.Machine), Served: make(chan error, 1), Deaf: make(chan struct{})}
	w.Kernel.Program("workload.exe", func(p *jobtest.Proc) uint32 {
		if p.Args[1] != "deaf" {
			return Workload(p)
		}
		p.Events() // from here on, console events do not end it
		w.Deaf <- struct{}{}
		<-p.Done()
		return 0
	})
	w.Serve(t, service.Config{
		Namespace: "ns", Engine: engine.Engine{Kernel: w.Kernel, Pods: w.Pods}, Emit: w.Emit,
		Machine: plan.Machine{Lookup: func(path string) bool { return path == Program }},
	})
	t.Cleanup(func() {
		_, _ = w.Kill(context.Background(), &api.KillRequest{ID: "c", Signal: 9})            // it may be gone
		_, _ = w.Kill(context.Background(), &api.KillRequest{ID: "p", Signal: 9, All: true}) // the pod, if there is one
		w.Kernel.Wait()
		_, _ = w.Shutdown(context.Background(), &api.ShutdownRequest{Now: true}) // it may have ended already
		_ = w.Client.Close()
		if err := <-w.Served; err != nil {
			t.Error(err)
		}
	})
	return w
}

// Serve starts a shim, which ends with Shutdown, and connects the client to it.
func (w *World) Serve(t *testing.T, c service.Config) {
	t.Helper()
	l, path := Listen(t)
	go func() { w.Served <- service.Serve(context.Background(), l, c) }()
	conn, err := Dial(path)
	if err != nil {
		t.Fatal(err)
	}
	w.Client = ttrpc.NewClient(conn)
	w.TTRPCTaskService = api.NewTTRPCTaskClient(w.Client)
}

// ServeInMemory is Serve on a connection in memory, as a bubble's clock requires.
func (w *World) ServeInMemory(c service.Config) {
	ours, theirs := net.Pipe()
	l := &memoryListener{conns: make(chan net.Conn, 1), closed: make(chan struct{})}
	l.conns <- theirs
	go func() { w.Served <- service.Serve(context.Background(), l, c) }()
	w.Client = ttrpc.NewClient(ours)
	w.TTRPCTaskService = api.NewTTRPCTaskClient(w.Client)
}

// memoryListener accepts the connections of a channel.
type memoryListener struct {
	conns  chan net.Conn
	once   sync.Once // guards the close of closed
	closed chan struct{}
}

func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *memoryListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *memoryListener) Addr() net.Addr { return &net.UnixAddr{Name: "memory", Net: "unix"} }

// Emit takes an event of the shim.
func (w *World) Emit(e any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, describe(e))
	if w.OnEvent != nil {
		w.OnEvent(e)
	}
}

func describe(e any) string {
	switch e := e.(type) {
	case *events.TaskCreate:
		return "create " + e.ContainerID
	case *events.TaskStart:
		return "start " + e.ContainerID
	case *events.TaskPaused:
		return "paused " + e.ContainerID
	case *events.TaskResumed:
		return "resumed " + e.ContainerID
	case *events.TaskOOM:
		return "oom " + e.ContainerID
	case *events.TaskExecAdded:
		return "exec-added " + e.ExecID
	case *events.TaskExecStarted:
		return "exec-started " + e.ExecID
	case *events.TaskExit:
		return "exit " + e.ID
	case *events.TaskDelete:
		return "delete " + e.ContainerID + " " + e.ID
	}
	return "unknown"
}

// Events lists the events so far by kind and id.
func (w *World) Events() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.events...)
}

// TakeEvents lists the events since the last call.
func (w *World) TakeEvents() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	taken := w.events
	w.events = nil
	return taken
}

// Process is a process of a spec that runs the program with these arguments.
func Process(args ...string) *specs.Process {
	return &specs.Process{Args: append([]string{Program}, args...), Cwd: `C:\`}
}

// Spec is that of a job container that runs the program with these arguments.
func Spec(args ...string) *specs.Spec {
	return &specs.Spec{
		Version: specs.Version, Process: Process(args...), Root: &specs.Root{}, Windows: &specs.Windows{},
		Annotations: map[string]string{
			"microsoft.com/hostprocess-container":    "true",
			"microsoft.com/hostprocess-inherit-user": "true",
		},
	}
}

// Bundle writes the spec of a job container that runs the program with these arguments. change may be nil.
func Bundle(t *testing.T, change func(*specs.Spec), args ...string) string {
	t.Helper()
	s := Spec(args...)
	if change != nil {
		change(s)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "config.json"), JSON(t, s), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// JSON is the text of a value.
func JSON(t testing.TB, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// MustCreate makes a task that runs the program with these arguments.
func (w *World) MustCreate(t *testing.T, id string, args ...string) {
	t.Helper()
	w.MustCreateFrom(t, id, Bundle(t, nil, args...))
}

// MustCreateFrom makes a task from a bundle.
func (w *World) MustCreateFrom(t *testing.T, id, bundle string) {
	t.Helper()
	if _, err := w.Create(t.Context(), &api.CreateTaskRequest{ID: id, Bundle: bundle}); err != nil {
		t.Fatal(err)
	}
}

// MustStart starts init, or the exec that is named, and returns its pid.
func (w *World) MustStart(t *testing.T, id, exec string) uint32 {
	t.Helper()
	r, err := w.Start(t.Context(), &api.StartRequest{ID: id, ExecID: exec})
	if err != nil {
		t.Fatal(err)
	}
	return r.Pid
}

// MustExec adds a process to a task.
func (w *World) MustExec(t *testing.T, id, exec string, args ...string) {
	t.Helper()
	if _, err := w.Exec(t.Context(), &api.ExecProcessRequest{
		ID: id, ExecID: exec, Spec: &anypb.Any{Value: JSON(t, Process(args...))},
	}); err != nil {
		t.Fatal(err)
	}
}

// MustKill sends SIGKILL to a process.
func (w *World) MustKill(t *testing.T, id, exec string) {
	t.Helper()
	if _, err := w.Kill(t.Context(), &api.KillRequest{ID: id, ExecID: exec, Signal: 9}); err != nil {
		t.Fatal(err)
	}
}

// MustWait waits for the end of a process and returns its exit status.
func (w *World) MustWait(t *testing.T, id, exec string) uint32 {
	t.Helper()
	r, err := w.Wait(t.Context(), &api.WaitRequest{ID: id, ExecID: exec})
	if err != nil {
		t.Fatal(err)
	}
	return r.ExitStatus
}

// MustDelete deletes a process and returns its exit status.
func (w *World) MustDelete(t *testing.T, id, exec string) uint32 {
	t.Helper()
	r, err := w.Delete(t.Context(), &api.DeleteRequest{ID: id, ExecID: exec})
	if err != nil {
		t.Fatal(err)
	}
	return r.ExitStatus
}

// HeapInUse is the heap in bytes after three collections: an object in a pool outlives the first.
func HeapInUse() uint64 {
	var m runtime.MemStats
	for range 3 {
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
