package sim_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	mounts "github.com/containerd/containerd/api/types"
	types "github.com/containerd/containerd/api/types/task"
	"github.com/opencontainers/runtime-spec/specs-go"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/siloshim/siloshim/container/containertest"
	"github.com/siloshim/siloshim/container/engine"
	"github.com/siloshim/siloshim/container/hostprocess"
	"github.com/siloshim/siloshim/container/layer"
	"github.com/siloshim/siloshim/container/network"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/hcs/hcstest"
	"github.com/siloshim/siloshim/internal/fault"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
	"github.com/siloshim/siloshim/shim/event"
	"github.com/siloshim/siloshim/shim/service"
	"github.com/siloshim/siloshim/test/sim"
)

// lifecycle is a kind of container: "job", a job container; "console", one with a console; "root", one with a root file
// system and another user; "server", a Windows Server container on layers in directories; "image", one on image files. A
// spectator is another process that has the container open, so that it does not end with its shim.
type lifecycle struct {
	kind      string
	spectator bool
}

func (l lifecycle) String() string {
	if l.spectator {
		return l.kind + " with a spectator"
	}
	return l.kind
}

// crashRun is one run of a container whose shim exits early. A neighbour has another shim.
type crashRun struct {
	lifecycle
	injector   *injector
	kernel     *jobtest.Kernel
	service    *hcstest.Service
	machine    *containertest.Machine
	engine     engine.Engine // without an injector
	publisher  *event.Publisher
	shim       *service.Service
	neighbour  *service.Service
	dir        string   // the bundle
	before     string   // the inventory with the neighbour
	spectators []func() // close their handles
}

// newCrashRun makes a machine with a neighbour and a shim that exits at a point.
func newCrashRun(t *testing.T, l lifecycle, at point) *crashRun {
	t.Helper()
	c := newCrashRunWithoutShim(t, l, newInjector(at))
	h := c.engineOf(c.faultyKernel(t), newFaultyService(c.service, c.injector), faultyMachine{c.machine, c.injector})
	c.shim = service.NewService(c.config(h, c.publisher.Publish))
	return c
}

// newCrashRunWithoutShim makes all of that but the shim.
func newCrashRunWithoutShim(t *testing.T, l lifecycle, f *injector) *crashRun {
	t.Helper()
	c := &crashRun{lifecycle: l, injector: f, kernel: jobtest.New(), service: hcstest.New(), machine: &containertest.Machine{}}
	c.kernel.Program("workload.exe", sim.Workload)
	c.service.Program("workload.exe", sim.WCOWWorkload)
	c.engine = c.engineOf(tokenlessKernel{c.kernel}, c.service, c.machine)
	c.neighbour = service.NewService(c.config(c.engine, func(any) {}))
	if err := c.neighbours(t, "create"); err != nil {
		t.Fatal(err)
	}
	c.before = c.inventory(t.Context())
	c.publisher = event.New("ns", faultySender{f})
	c.dir = c.bundle(t, "c")
	return c
}

// machine is what an engine needs besides the kernel and the compute service.
type machine interface {
	layer.Storage
	network.Namespaces
	hostprocess.Files
	hostprocess.Accounts
}

func (c *crashRun) engineOf(k jobobject.Kernel, s hcs.Service, m machine) engine.Engine {
	return engine.Engine{Kernel: k, Service: &hcs.Client{Service: s}, Storage: m, Network: m, Files: m, Accounts: m}
}

// faultyKernel makes the kernel of the shim with the injector.
func (c *crashRun) faultyKernel(t *testing.T) *faultyKernel {
	kernel := newFaultyKernel(c.kernel, c.injector)
	kernel.onJob = func(name string) { c.watchJob(t, name) }
	return kernel
}

func (c *crashRun) config(h engine.Engine, emit func(any)) service.Config {
	return service.Config{
		Namespace: "ns", Engine: h, Emit: emit, Shutdown: func() {},
		Machine: plan.Machine{
			Lookup:  func(path string) bool { return path == sim.Program },
			Resolve: func(path string) (string, error) { return path, nil },
		},
	}
}

// bundle writes the spec of a container. Each id has another scratch directory.
func (c *crashRun) bundle(t *testing.T, id string) string {
	switch c.kind {
	case "job":
		return sim.Bundle(t, nil, "sleep")
	case "console":
		return sim.Bundle(t, func(s *specs.Spec) { s.Process.Terminal = true }, "sleep")
	case "root":
		c.machine.Put(containertest.VolumeOf(`C:\scratch\`+id)+`bin\workload.exe`, `C:\data\`)
		return sim.Bundle(t, func(s *specs.Spec) {
			s.Process = c.process()
			s.Windows.LayerFolders = []string{`C:\layers\0`, `C:\scratch\` + id}
			s.Annotations = map[string]string{"microsoft.com/hostprocess-container": "true"}
			s.Mounts = []specs.Mount{{Source: `C:\data`, Destination: `C:\var\data`}}
		})
	}
	return sim.WCOWBundle(t, func(s *specs.Spec) {
		s.Windows.LayerFolders[2] = `C:\scratch\` + id
		if c.kind == "image" {
			s.Windows.LayerFolders = nil
		}
	}, "sleep")
}

// process is a process of the container.
func (c *crashRun) process() *specs.Process {
	if c.kind == "root" {
		return &specs.Process{Args: []string{`bin\workload`, "sleep"}, User: specs.User{Username: "agents"}}
	}
	return sim.Process("sleep")
}

// creation is the request that makes a container.
func (c *crashRun) creation(id, dir string) *api.CreateTaskRequest {
	r := &api.CreateTaskRequest{ID: id, Bundle: dir}
	if c.kind == "image" {
		r.Rootfs = []*mounts.Mount{{
			Type: "CimFS", Source: `C:\snap\` + id, Options: []string{`parentLayerPaths=["C:\\snap\\2"]`, `parentCimPaths=["C:\\cim\\2.cim"]`},
		}}
	}
	return r
}

// watchJob lets a spectator open a job that was created.
func (c *crashRun) watchJob(t *testing.T, name string) {
	if !c.spectator {
		return
	}
	h, err := c.kernel.OpenJob(name, jobobject.AccessQuery)
	if err != nil {
		t.Error(err)
		return
	}
	c.spectators = append(c.spectators, func() { _ = c.kernel.CloseHandle(h) }) // finish counts the handles
}

// watchSystem lets a spectator open the compute system.
func (c *crashRun) watchSystem(ctx context.Context) error {
	if !c.spectator || c.isJob() {
		return nil
	}
	system, err := c.engine.Service.Open(ctx, "c")
	if err == nil {
		c.spectators = append(c.spectators, func() { _ = system.Close() }) // finish counts the handles
	}
	return err
}

// neighbours creates, ends or checks the neighbour.
func (c *crashRun) neighbours(t *testing.T, what string) error {
	ctx, n := t.Context(), c.neighbour
	switch what {
	case "create":
		if _, err := n.Create(ctx, c.creation("n", c.bundle(t, "n"))); err != nil {
			return err
		}
		_, err := n.Start(ctx, &api.StartRequest{ID: "n"})
		return err
	case "end":
		if _, err := n.Kill(ctx, &api.KillRequest{ID: "n", Signal: 9}); err != nil {
			return err
		}
		if _, err := n.Wait(ctx, &api.WaitRequest{ID: "n"}); err != nil {
			return err
		}
		_, err := n.Delete(ctx, &api.DeleteRequest{ID: "n"})
		return err
	}
	s, err := n.State(ctx, &api.StateRequest{ID: "n"})
	if err == nil && s.Status != types.Status_RUNNING {
		err = fmt.Errorf("the neighbour is %v", s.Status)
	}
	return err
}

// request is one of those of a run.
type request struct {
	name string
	make func(context.Context) error
}

// requests lists those from Create to Delete.
func (c *crashRun) requests(t *testing.T, s api.TTRPCTaskService) []request {
	exec := &anypb.Any{Value: sim.JSON(t, c.process())}
	create := c.creation("c", c.dir)
	if c.streams() {
		create.Stdin, create.Stdout = `/in`, `/out`
		create.Terminal = c.kind == "console"
	}
	if c.streams() && !create.Terminal {
		create.Stderr = "file:///" + strings.TrimPrefix(filepath.ToSlash(filepath.Join(c.dir, "..", "logs", "err.log")), "/")
	}
	resources := &anypb.Any{TypeUrl: sim.ResourcesURL, Value: sim.JSON(t, specs.WindowsResources{
		Memory: &specs.WindowsMemoryResources{Limit: new(uint64(100 << 20))},
	})}
	pause := call(s.Pause, &api.PauseRequest{ID: "c"})
	resume := call(s.Resume, &api.ResumeRequest{ID: "c"})
	return []request{
		{"Create", call(s.Create, create)}, {"", c.watchSystem},
		{"Start", call(s.Start, &api.StartRequest{ID: "c"})},
		{"Stats", call(s.Stats, &api.StatsRequest{ID: "c"})},
		{"Pids", call(s.Pids, &api.PidsRequest{ID: "c"})},
		{"Update", call(s.Update, &api.UpdateTaskRequest{ID: "c", Resources: resources})},
		{"", c.awaitStdin}, {"CloseIO", call(s.CloseIO, &api.CloseIORequest{ID: "c", Stdin: true})}, {"", c.inputClosed},
		{"Exec", call(s.Exec, &api.ExecProcessRequest{ID: "c", ExecID: "e", Spec: exec})},
		{"Start", call(s.Start, &api.StartRequest{ID: "c", ExecID: "e"})},
		{"Pause", c.jobOnly(pause)}, {"Resume", c.jobOnly(resume)},
		{"Kill", call(s.Kill, &api.KillRequest{ID: "c", ExecID: "e", Signal: 9})},
		{"Wait", call(s.Wait, &api.WaitRequest{ID: "c", ExecID: "e"})},
		{"Delete", call(s.Delete, &api.DeleteRequest{ID: "c", ExecID: "e"})},
		{"Exec", call(s.Exec, &api.ExecProcessRequest{ID: "c", ExecID: "f", Spec: exec})},
		{"Start", call(s.Start, &api.StartRequest{ID: "c", ExecID: "f"})},
		{"Kill", call(s.Kill, &api.KillRequest{ID: "c", Signal: 9})},
		{"Wait", call(s.Wait, &api.WaitRequest{ID: "c"})},
		{"Delete", call(s.Delete, &api.DeleteRequest{ID: "c"})},
	}
}

// inputClosed waits until the stdin of a Windows Server container is closed: CloseIO returns earlier. A job container has real
// pipes, for which a bubble cannot wait.
func (c *crashRun) inputClosed(context.Context) error {
	if !c.isJob() {
		time.Sleep(time.Nanosecond) // the bubble's clock advances when all goroutines wait
	}
	return nil
}

// streams reports whether the container has streams. The output of a job container without a console comes through a real
// pipe. The bubble's clock does not advance while it is read, so such a container may neither outlive its shim nor hang.
func (c *crashRun) streams() bool {
	return fault.Enabled && !c.spectator && (!c.isJob() || c.kind == "console" || c.injector.hangs == nil)
}

// run makes the requests until the shim has exited.
func (c *crashRun) run(t *testing.T) error {
	for i, r := range c.requests(t, c.shim) {
		err := r.make(t.Context())
		if c.injector.hasExited() {
			return nil
		}
		if err != nil {
			return fmt.Errorf("request %d, %s: %w", i+1, r.name, err)
		}
	}
	return nil
}

func (c *crashRun) isJob() bool { return c.kind == "job" || c.kind == "root" || c.kind == "console" }

// jobOnly makes a request that only job containers implement.
func (c *crashRun) jobOnly(do func(context.Context) error) func(context.Context) error {
	if c.isJob() {
		return do
	}
	return func(context.Context) error { return nil }
}

// awaitStdin waits until the shim has read from the client of stdin, if there is one.
func (c *crashRun) awaitStdin(context.Context) error {
	if !c.streams() {
		return nil
	}
	select {
	case <-c.injector.stdinRead:
	case <-c.injector.reached:
	}
	return nil
}
