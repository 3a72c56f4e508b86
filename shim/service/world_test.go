package service_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/containerd/containerd/api/events"
	api "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/ttrpc"
	"github.com/opencontainers/runtime-spec/specs-go"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/siloshim/siloshim/container/engine"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/jobobject/jobtest"
	"github.com/siloshim/siloshim/shim/service"
)

// program is what every container here runs, simulated.
const program = `C:\bin\workload.exe`

// world is a shim that serves on a simulated kernel, with a client on the other end of its wire.
type world struct {
	api.TTRPCTaskService
	kernel *jobtest.Kernel
	client *ttrpc.Client
	served chan error    // what Serve returned
	deaf   chan struct{} // takes one value from each "deaf" that runs

	mu     sync.Mutex
	events []any
}

// workload is jobtest's, and "sleep" which lives until it is ended.
func workload(p *jobtest.Proc) uint32 {
	if p.Args[1] == "sleep" {
		<-p.Done()
		return 0
	}
	return jobtest.Workload(p)
}

// newWorld starts a shim and ends it with the test.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{kernel: jobtest.New(), served: make(chan error, 1), deaf: make(chan struct{})}
	w.kernel.Program("workload.exe", func(p *jobtest.Proc) uint32 {
		if p.Args[1] != "deaf" {
			return workload(p)
		}
		p.Events() // from here on, being asked to end does not end it
		w.deaf <- struct{}{}
		<-p.Done()
		return 0
	})
	w.client = w.serve(t, service.Config{
		Namespace: "ns", Engine: engine.Engine{Kernel: w.kernel}, Emit: w.emit,
		Machine: plan.Machine{Lookup: func(path string) bool { return path == program }},
	})
	t.Cleanup(func() {
		_, _ = w.Kill(context.Background(), &api.KillRequest{ID: "c", Signal: 9})            // it may be gone
		_, _ = w.Kill(context.Background(), &api.KillRequest{ID: "p", Signal: 9, All: true}) // the pod, if there is one
		w.kernel.Wait()
		_, _ = w.Shutdown(context.Background(), &api.ShutdownRequest{Now: true}) // it may have ended already
		_ = w.client.Close()
		if err := <-w.served; err != nil {
			t.Error(err)
		}
	})
	return w
}

// serve starts a shim, which ends with Shutdown, and connects to it.
func (w *world) serve(t *testing.T, c service.Config) *ttrpc.Client {
	t.Helper()
	l, path := listen(t)
	go func() { w.served <- service.Serve(context.Background(), l, c) }()
	conn, err := dial(path)
	if err != nil {
		t.Fatal(err)
	}
	client := ttrpc.NewClient(conn)
	w.TTRPCTaskService = api.NewTTRPCTaskClient(client)
	return client
}

func (w *world) emit(e any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
}

// told lists the events so far by kind and id.
func (w *world) told() (all []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.events {
		switch e := e.(type) {
		case *events.TaskCreate:
			all = append(all, "create "+e.ContainerID)
		case *events.TaskStart:
			all = append(all, "start "+e.ContainerID)
		case *events.TaskPaused:
			all = append(all, "paused "+e.ContainerID)
		case *events.TaskResumed:
			all = append(all, "resumed "+e.ContainerID)
		case *events.TaskOOM:
			all = append(all, "oom "+e.ContainerID)
		case *events.TaskExecAdded:
			all = append(all, "exec-added "+e.ExecID)
		case *events.TaskExecStarted:
			all = append(all, "exec-started "+e.ExecID)
		case *events.TaskExit:
			all = append(all, "exit "+e.ID)
		case *events.TaskDelete:
			all = append(all, "delete "+e.ContainerID+" "+e.ID)
		}
	}
	return all
}

// process is a process of a specification that runs the program with these arguments.
func process(args ...string) *specs.Process {
	return &specs.Process{Args: append([]string{program}, args...), Cwd: `C:\`}
}

// bundle writes the specification of a job container.
func bundle(t *testing.T, change func(*specs.Spec), args ...string) string {
	t.Helper()
	s := &specs.Spec{
		Version: specs.Version, Process: process(args...), Root: &specs.Root{}, Windows: &specs.Windows{},
		Annotations: map[string]string{
			"microsoft.com/hostprocess-container":    "true",
			"microsoft.com/hostprocess-inherit-user": "true",
		},
	}
	if change != nil {
		change(s)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "config.json"), marshal(t, s), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// create makes a task that runs the program with these arguments.
func (w *world) create(t *testing.T, id string, args ...string) {
	t.Helper()
	if _, err := w.Create(t.Context(), &api.CreateTaskRequest{ID: id, Bundle: bundle(t, nil, args...)}); err != nil {
		t.Fatal(err)
	}
}

// start starts init, or the exec that is named.
func (w *world) start(t *testing.T, id, exec string) uint32 {
	t.Helper()
	r, err := w.Start(t.Context(), &api.StartRequest{ID: id, ExecID: exec})
	if err != nil {
		t.Fatal(err)
	}
	return r.Pid
}

// exec adds a process to a task.
func (w *world) exec(t *testing.T, id, exec string, args ...string) {
	t.Helper()
	if _, err := w.Exec(t.Context(), &api.ExecProcessRequest{
		ID: id, ExecID: exec, Spec: &anypb.Any{Value: marshal(t, process(args...))},
	}); err != nil {
		t.Fatal(err)
	}
}

// wait waits for the end of a process.
func (w *world) wait(t *testing.T, id, exec string) uint32 {
	t.Helper()
	r, err := w.Wait(t.Context(), &api.WaitRequest{ID: id, ExecID: exec})
	if err != nil {
		t.Fatal(err)
	}
	return r.ExitStatus
}

// remove deletes a process.
func (w *world) remove(t *testing.T, id, exec string) uint32 {
	t.Helper()
	r, err := w.Delete(t.Context(), &api.DeleteRequest{ID: id, ExecID: exec})
	if err != nil {
		t.Fatal(err)
	}
	return r.ExitStatus
}
