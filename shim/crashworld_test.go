package shim_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	mounts "github.com/containerd/containerd/api/types"
	types "github.com/containerd/containerd/api/types/task"
	"github.com/containerd/log"
	"github.com/opencontainers/runtime-spec/specs-go"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/hcs/hcstest"
	"github.com/siloshim/siloshim/internal/fault"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
	"github.com/siloshim/siloshim/schema"
	"github.com/siloshim/siloshim/shim"
	"github.com/siloshim/siloshim/shim/bootstrap"
	"github.com/siloshim/siloshim/shim/event"
	"github.com/siloshim/siloshim/shim/host"
	"github.com/siloshim/siloshim/shim/host/hosttest"
	"github.com/siloshim/siloshim/shim/spec"
)

// life is the kind of a container that the matrix lets live: a job container; a Windows Server container on layers in
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
	machine   *hosttest.Machine
	sound     host.Host // with what the mortal shim has, and no end
	publisher *event.Publisher
	shim      *shim.Service
	neighbour *shim.Service
	dir       string // the bundle
	before    string // what the machine has of the neighbour
	seen      []func()
}

// newCrash makes a machine with a neighbour and a shim that dies at a moment.
func newCrash(t *testing.T, l life, at moment) *crash {
	t.Helper()
	c := &crash{life: l, fuse: newFuse(at), kernel: jobtest.New(), service: hcstest.New(), machine: &hosttest.Machine{}}
	c.kernel.Program("workload.exe", workload)
	c.service.Program("workload.exe", inside)
	c.sound = host.Host{Kernel: c.kernel, Service: &hcs.Client{Service: c.service}, Storage: c.machine, Network: c.machine}
	c.neighbour = shim.NewService(c.config(c.sound, func(any) {}))
	if err := c.neighbours(t, "create"); err != nil {
		t.Fatal(err)
	}
	c.before = c.inventory(t.Context())
	kernel := newMortal(c.kernel, c.fuse)
	kernel.onJob = func(name string) { c.watchJob(t, name) }
	machine := mortalMachine{c.machine, c.fuse}
	c.publisher = event.New("ns", mortalSender{c.fuse})
	c.shim = shim.NewService(c.config(host.Host{
		Kernel: kernel, Service: &hcs.Client{Service: newMortalService(c.service, c.fuse)}, Storage: machine, Network: machine,
	}, c.publisher.Publish))
	c.dir = c.bundle(t, "c")
	return c
}

func (c *crash) config(h host.Host, emit func(any)) shim.Config {
	return shim.Config{
		Namespace: "ns", Host: h, Emit: emit, Shutdown: func() {},
		Machine: spec.Host{
			Lookup:  func(path string) bool { return path == program },
			Resolve: func(path string) (string, error) { return path, nil },
		},
	}
}

// bundle writes the specification of a container, which has its own scratch directory.
func (c *crash) bundle(t *testing.T, id string) string {
	if c.kind == "job" {
		return bundle(t, nil, "sleep")
	}
	return serverBundle(t, func(s *specs.Spec) {
		s.Windows.LayerFolders[2] = `C:\scratch\` + id
		if c.kind == "image" {
			s.Windows.LayerFolders = nil
		}
	}, "sleep")
}

// request is that which makes the container.
func (c *crash) request(id, dir string) *api.CreateTaskRequest {
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
	if !c.spectator || c.kind == "job" {
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
		if _, err := n.Create(ctx, c.request("n", c.bundle(t, "n"))); err != nil {
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

// live takes a container from Create to Delete, or as far as the shim gets: nobody hears from a dead one.
func (c *crash) live(t *testing.T) error {
	s, ctx := c.shim, t.Context()
	exec := &anypb.Any{Value: marshal(t, process("sleep"))}
	create := c.request("c", c.dir)
	if fault.Enabled && !c.spectator { // whose processes outlive the shim, and in a real read the bubble's clock stands still
		create.Stdin, create.Stdout = `/in`, `/out`
		create.Stderr = "file:///" + strings.TrimPrefix(filepath.ToSlash(filepath.Join(c.dir, "..", "logs", "err.log")), "/")
	}
	resources := &anypb.Any{TypeUrl: resourcesURL, Value: marshal(t, specs.WindowsResources{
		Memory: &specs.WindowsMemoryResources{Limit: new(uint64(100 << 20))},
	})}
	steps := []func(context.Context) error{
		call(s.Create, create), c.watchSystem,
		call(s.Start, &api.StartRequest{ID: "c"}),
		call(s.Stats, &api.StatsRequest{ID: "c"}),
		call(s.Update, &api.UpdateTaskRequest{ID: "c", Resources: resources}),
		c.heard, call(s.CloseIO, &api.CloseIORequest{ID: "c", Stdin: true}),
		call(s.Exec, &api.ExecProcessRequest{ID: "c", ExecID: "e", Spec: exec}),
		call(s.Start, &api.StartRequest{ID: "c", ExecID: "e"}),
		c.pause, c.resume,
		call(s.Kill, &api.KillRequest{ID: "c", ExecID: "e", Signal: 9}),
		call(s.Wait, &api.WaitRequest{ID: "c", ExecID: "e"}),
		call(s.Delete, &api.DeleteRequest{ID: "c", ExecID: "e"}),
		call(s.Exec, &api.ExecProcessRequest{ID: "c", ExecID: "f", Spec: exec}),
		call(s.Start, &api.StartRequest{ID: "c", ExecID: "f"}),
		call(s.Kill, &api.KillRequest{ID: "c", Signal: 9}),
		call(s.Wait, &api.WaitRequest{ID: "c"}),
		call(s.Delete, &api.DeleteRequest{ID: "c"}),
	}
	for i, step := range steps {
		err := step(ctx)
		if c.fuse.died() {
			return nil
		}
		if err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
	}
	return nil
}

// heard waits until the client of stdin has been heard, if there is one.
func (c *crash) heard(context.Context) error {
	if !c.fuse.greets || c.spectator {
		return nil
	}
	select {
	case <-c.fuse.greeted:
	case <-c.fuse.blown:
	}
	return nil
}

func (c *crash) pause(ctx context.Context) error {
	if c.kind != "job" {
		return nil
	}
	_, err := c.shim.Pause(ctx, &api.PauseRequest{ID: "c"})
	return err
}

func (c *crash) resume(ctx context.Context) error {
	if c.kind != "job" {
		return nil
	}
	_, err := c.shim.Resume(ctx, &api.ResumeRequest{ID: "c"})
	return err
}

// Serve and Cleanup are the shim that containerd runs for the verb delete.
func (c *crash) Serve(context.Context, bootstrap.Params) error { return errDead }

func (c *crash) Cleanup(ctx context.Context, p bootstrap.Params) error {
	return c.sound.Cleanup(ctx, p.Namespace, p.ID, p.Bundle)
}

// remove runs the verb delete.
func (c *crash) remove() error {
	out := log.L.Logger.Out
	defer log.L.Logger.SetOutput(out)
	var stdout, stderr bytes.Buffer
	began := time.Now()
	code := bootstrap.Main(bootstrap.Process{
		Args:   []string{"containerd-shim-silo-v1.exe", "-namespace", "ns", "-id", "c", "-bundle", c.dir, "delete"},
		Getenv: func(string) string { return "" }, Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr,
	}, c)
	if took := time.Since(began); took >= 4*time.Second { // by the bubble's clock
		return fmt.Errorf("delete took %v, want less than 4s", took)
	}
	if code != 0 || stderr.Len() > 0 {
		return fmt.Errorf("delete: status %d, %s", code, stderr.String())
	}
	return nil
}

// inventory is what the machine has of containers, but for the jobs.
func (c *crash) inventory(ctx context.Context) string {
	guard, gerr := c.sound.Service.ServiceProperties(ctx, schema.ServiceCredentialGuard)
	systems, serr := c.sound.Service.Enumerate(ctx, nil)
	var names []string
	for _, s := range systems {
		names = append(names, s.Id)
	}
	return fmt.Sprintf("%v; systems %v, %v; credentials %s, %v", c.machine.Held(), names, serr, guard.Properties, gerr)
}

// left names what is there of the container.
func (c *crash) left(ctx context.Context) error {
	var all []error
	for _, see := range c.seen {
		see()
	}
	if _, err := c.kernel.OpenJob(host.JobName("ns", "c"), jobobject.AccessQuery); !errors.Is(err, jobobject.ErrNotExist) {
		all = append(all, fmt.Errorf("the job is left: %v", err))
	}
	if now := c.inventory(ctx); now != c.before {
		all = append(all, fmt.Errorf("the machine has %s; before it had %s", now, c.before))
	}
	entries, err := os.ReadDir(c.dir)
	if err != nil || len(entries) != 1 { // config.json
		all = append(all, fmt.Errorf("files %v are left, %v", entries, err))
	}
	return errors.Join(all...)
}
