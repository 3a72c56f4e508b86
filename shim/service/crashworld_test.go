package service_test

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
)

// life is the kind of a container that the matrix lets live: a job container; one with a console; one with a root file system and a user of
// its own; a Windows Server container on layers in
// directories, or in image files. A spectator is somebody else who has the container open, so that it does not end with
// its shim.
type life struct {
	kind      string
	spectator bool
}

func (l life) String() string {
	if l.spectator {
		return l.kind + " with a spectator"
	}
	return l.kind
}

// crash is one life of a container that its shim's death cuts short, beside a neighbour with a shim of its own.
type crash struct {
	life
	fuse      *fuse
	kernel    *jobtest.Kernel
	service   *hcstest.Service
	machine   *containertest.Machine
	sound     engine.Engine // with what the mortal shim has, and no end
	publisher *event.Publisher
	shim      *service.Service
	neighbour *service.Service
	dir       string // the bundle
	before    string // what the machine has of the neighbour
	seen      []func()
}

// newCrash makes a machine with a neighbour and a shim that dies at a moment.
func newCrash(t *testing.T, l life, at moment) *crash {
	t.Helper()
	c := newCrashWorld(t, l, newFuse(at))
	h := c.host(c.mortal(t), newMortalService(c.service, c.fuse), mortalMachine{c.machine, c.fuse})
	c.shim = service.NewService(c.config(h, c.publisher.Publish))
	return c
}

// newCrashWorld makes all but the shim.
func newCrashWorld(t *testing.T, l life, f *fuse) *crash {
	t.Helper()
	c := &crash{life: l, fuse: f, kernel: jobtest.New(), service: hcstest.New(), machine: &containertest.Machine{}}
	c.kernel.Program("workload.exe", workload)
	c.service.Program("workload.exe", inside)
	c.sound = c.host(blunt{c.kernel}, c.service, c.machine)
	c.neighbour = service.NewService(c.config(c.sound, func(any) {}))
	if err := c.neighbours(t, "create"); err != nil {
		t.Fatal(err)
	}
	c.before = c.inventory(t.Context())
	c.publisher = event.New("ns", mortalSender{f})
	c.dir = c.bundle(t, "c")
	return c
}

// machine is what a host needs beside kernel and service.
type machine interface {
	layer.Storage
	network.Namespaces
	hostprocess.Files
	hostprocess.Accounts
}

func (c *crash) host(k jobobject.Kernel, s hcs.Service, m machine) engine.Engine {
	return engine.Engine{Kernel: k, Service: &hcs.Client{Service: s}, Storage: m, Network: m, Files: m, Accounts: m}
}

// mortal is the kernel of the shim with the fuse.
func (c *crash) mortal(t *testing.T) *mortal {
	kernel := newMortal(c.kernel, c.fuse)
	kernel.onJob = func(name string) { c.watchJob(t, name) }
	return kernel
}

func (c *crash) config(h engine.Engine, emit func(any)) service.Config {
	return service.Config{
		Namespace: "ns", Engine: h, Emit: emit, Shutdown: func() {},
		Machine: plan.Machine{
			Lookup:  func(path string) bool { return path == program },
			Resolve: func(path string) (string, error) { return path, nil },
		},
	}
}

// bundle writes the specification of a container, which has its own scratch directory.
func (c *crash) bundle(t *testing.T, id string) string {
	switch c.kind {
	case "job":
		return bundle(t, nil, "sleep")
	case "console":
		return bundle(t, func(s *specs.Spec) { s.Process.Terminal = true }, "sleep")
	case "root":
		c.machine.Put(containertest.VolumeOf(`C:\scratch\`+id)+`bin\workload.exe`, `C:\data\`)
		return bundle(t, func(s *specs.Spec) {
			s.Process = c.process()
			s.Windows.LayerFolders = []string{`C:\layers\0`, `C:\scratch\` + id}
			s.Annotations = map[string]string{"microsoft.com/hostprocess-container": "true"}
			s.Mounts = []specs.Mount{{Source: `C:\data`, Destination: `C:\var\data`}}
		})
	}
	return serverBundle(t, func(s *specs.Spec) {
		s.Windows.LayerFolders[2] = `C:\scratch\` + id
		if c.kind == "image" {
			s.Windows.LayerFolders = nil
		}
	}, "sleep")
}

// process is a program of the container.
func (c *crash) process() *specs.Process {
	if c.kind == "root" {
		return &specs.Process{Args: []string{`bin\workload`, "sleep"}, User: specs.User{Username: "agents"}}
	}
	return process("sleep")
}

// creation is the request that makes a container.
func (c *crash) creation(id, dir string) *api.CreateTaskRequest {
	r := &api.CreateTaskRequest{ID: id, Bundle: dir}
	if c.kind == "image" {
		r.Rootfs = []*mounts.Mount{{
			Type: "CimFS", Source: `C:\snap\` + id, Options: []string{`parentLayerPaths=["C:\\snap\\2"]`, `parentCimPaths=["C:\\cim\\2.cim"]`},
		}}
	}
	return r
}

// watchJob lets a spectator open the job that was made.
func (c *crash) watchJob(t *testing.T, name string) {
	if !c.spectator {
		return
	}
	h, err := c.kernel.OpenJob(name, jobobject.AccessQuery)
	if err != nil {
		t.Error(err)
		return
	}
	c.seen = append(c.seen, func() { _ = c.kernel.CloseHandle(h) }) // the handles are counted in the end
}

// watchSystem lets a spectator open the compute system, once it is there.
func (c *crash) watchSystem(ctx context.Context) error {
	if !c.spectator || c.isJob() {
		return nil
	}
	system, err := c.sound.Service.Open(ctx, "c")
	if err == nil {
		c.seen = append(c.seen, func() { _ = system.Close() }) // so are these
	}
	return err
}

// neighbours looks at the neighbour, or makes or ends it.
func (c *crash) neighbours(t *testing.T, what string) error {
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

// request is one of a container's life.
type request struct {
	name string
	make func(context.Context) error
}

// requests are those that take a container from Create to Delete.
func (c *crash) requests(t *testing.T, s api.TTRPCTaskService) []request {
	exec := &anypb.Any{Value: marshal(t, c.process())}
	create := c.creation("c", c.dir)
	if c.streams() {
		create.Stdin, create.Stdout = `/in`, `/out`
		create.Terminal = c.kind == "console"
	}
	if c.streams() && !create.Terminal {
		create.Stderr = "file:///" + strings.TrimPrefix(filepath.ToSlash(filepath.Join(c.dir, "..", "logs", "err.log")), "/")
	}
	resources := &anypb.Any{TypeUrl: resourcesURL, Value: marshal(t, specs.WindowsResources{
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
		{"", c.heard}, {"CloseIO", call(s.CloseIO, &api.CloseIORequest{ID: "c", Stdin: true})}, {"", c.inputClosed},
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

// inputClosed waits until a Windows Server container's stdin is closed, which CloseIO does not wait for. The pipes of a job
// container are real ones, which a bubble cannot wait for.
func (c *crash) inputClosed(context.Context) error {
	if !c.isJob() {
		time.Sleep(time.Nanosecond) // the bubble's clock goes on once all there is to do is done
	}
	return nil
}

// streams tells whether the container has any. What a job container without a console prints comes through a real pipe: while it is read
// the bubble's clock stands still, and so it may not outlive its shim or hang.
func (c *crash) streams() bool {
	return fault.Enabled && !c.spectator && (!c.isJob() || c.kind == "console" || c.fuse.hangs == nil)
}

// live makes the requests, as far as the shim gets: nobody hears from a dead one.
func (c *crash) live(t *testing.T) error {
	for i, r := range c.requests(t, c.shim) {
		err := r.make(t.Context())
		if c.fuse.died() {
			return nil
		}
		if err != nil {
			return fmt.Errorf("request %d, %s: %w", i+1, r.name, err)
		}
	}
	return nil
}

func (c *crash) isJob() bool { return c.kind == "job" || c.kind == "root" || c.kind == "console" }

// jobOnly makes a request of those containers alone that know it.
func (c *crash) jobOnly(do func(context.Context) error) func(context.Context) error {
	if c.isJob() {
		return do
	}
	return func(context.Context) error { return nil }
}

// heard waits until the client of stdin has been heard, if there is one.
func (c *crash) heard(context.Context) error {
	if !c.streams() {
		return nil
	}
	select {
	case <-c.fuse.greeted:
	case <-c.fuse.blown:
	}
	return nil
}
