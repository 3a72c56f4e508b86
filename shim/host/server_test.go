package host_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/hcs/hcstest"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
	"github.com/siloshim/siloshim/schema"
	"github.com/siloshim/siloshim/shim"
	"github.com/siloshim/siloshim/shim/host"
	"github.com/siloshim/siloshim/shim/host/hosttest"
	"github.com/siloshim/siloshim/shim/spec"
	"github.com/siloshim/siloshim/shim/stdio"
	"github.com/siloshim/siloshim/shim/task"
	"github.com/siloshim/siloshim/stats"
)

// bed is a machine with a simulated compute service.
type bed struct {
	t       *testing.T
	service *hcstest.Service
	client  *hcs.Client
	kernel  *jobtest.Kernel
	machine *hosttest.Machine
	dir     string
}

func newBed(t *testing.T) *bed {
	b := &bed{t: t, service: hcstest.New(), kernel: jobtest.New(), machine: &hosttest.Machine{}, dir: t.TempDir()}
	b.client = &hcs.Client{Service: b.service}
	b.service.Program("app.exe", func(p *hcstest.Proc) uint32 {
		<-p.Done()
		return 0
	})
	return b
}

// plan plans a container that runs app.exe.
func (b *bed) plan(change ...func(*specs.Spec)) *spec.Server {
	b.t.Helper()
	s := &specs.Spec{
		Process: &specs.Process{Args: []string{"app.exe"}, Cwd: `C:\`},
		Windows: &specs.Windows{LayerFolders: []string{`C:\layers\0`, `C:\scratch`}},
	}
	for _, c := range change {
		c(s)
	}
	plan, err := spec.Host{Resolve: func(path string) (string, error) { return path, nil }}.Server("c", s, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return plan
}

func (b *bed) create(plan *spec.Server) (shim.Container, error) {
	h := host.Host{Kernel: b.kernel, Service: b.client, Storage: b.machine, Network: b.machine}
	return h.Server(b.t.Context(), "c", b.dir, plan)
}

// start makes a container and starts its init.
func (b *bed) start(plan *spec.Server) (shim.Container, task.Program) {
	b.t.Helper()
	c, err := b.create(plan)
	if err != nil {
		b.t.Fatal(err)
	}
	relay, err := stdio.Open(b.t.Context(), stdio.Config{Terminal: plan.Process.Terminal})
	if err != nil {
		b.t.Fatal(err)
	}
	init := c.Program(&plan.Process, relay)
	if _, err := init.Start(); err != nil {
		b.t.Fatal(err)
	}
	relay.Start()
	b.t.Cleanup(func() {
		for _, close := range []func() error{relay.Close, init.Close, c.Close} {
			if err := close(); err != nil {
				b.t.Error(err)
			}
		}
		b.settled()
	})
	return c, init
}

// settled fails the test if anything is left.
func (b *bed) settled() {
	b.t.Helper()
	b.service.Wait()
	hcstest.Settled(b.t, b.service, b.client)
	if held := b.machine.Held(); len(held) > 0 {
		b.t.Errorf("left on the machine: %v", held)
	}
}

// end ends a container as its task does.
func (b *bed) end(c shim.Container) error {
	ctx, cancel := context.WithTimeout(context.Background(), c.(*host.Server).Bounds().Terminate)
	defer cancel()
	return c.Terminate(ctx, task.Killed)
}

// TestTeardownIsNotCut: two minutes of writing out are waited for, and the layers stay until they are over.
func TestTeardownIsNotCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		c, _ := b.start(b.plan())
		slow := hcstest.Fault{Late: true, Delay: 2 * time.Minute, Deaf: true}
		b.service.Fault("ShutDownSystem", slow)
		b.service.Fault("TerminateSystem", slow)
		begin := time.Now()
		if err := b.end(c); err != nil {
			t.Error(err)
		}
		if took := time.Since(begin); took != 2*time.Minute {
			t.Errorf("the end took %v, want 2m: the service was interrupted, or waited for in vain", took)
		}
	})
}

// TestHungServiceIsWaitedForInParts: requests about one process or for figures come back in bounded time, whatever the
// service does with them.
func TestHungServiceIsWaitedForInParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		c, init := b.start(b.plan())
		hang := make(chan struct{})
		for _, call := range []string{"TerminateProcess", "SignalProcess", "SystemProperties"} {
			b.service.Fault(call, hcstest.Fault{Late: true, Hang: hang, Deaf: true, Times: -1})
		}
		begin := time.Now()
		if err := init.Signal(task.SIGKILL); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("kill: %v, want the deadline", err)
		}
		if err := init.Signal(task.SIGTERM); err != nil {
			t.Errorf("an event: %v; it was heard", err)
		}
		if s, err := c.Stats(b.t.Context(), begin); err != nil || s.Timestamp.IsZero() {
			t.Errorf("statistics %v, %v", s, err)
		}
		if _, err := c.Pids(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("pids: %v, want the deadline", err)
		}
		if took := time.Since(begin); took > time.Minute {
			t.Errorf("all took %v", took)
		}
		close(hang)
		for _, call := range []string{"TerminateProcess", "SignalProcess", "SystemProperties"} {
			b.service.Fault(call, hcstest.Fault{Skip: 1 << 30})
		}
		if err := b.end(c); err != nil {
			t.Error(err)
		}
	})
}

// TestHungEnd: what cannot be ended keeps its layers, and the list of them, until it has ended.
func TestHungEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		c, _ := b.start(b.plan())
		hang := make(chan struct{})
		for _, call := range []string{"ShutDownSystem", "TerminateSystem"} {
			b.service.Fault(call, hcstest.Fault{Late: true, Hang: hang, Deaf: true, Times: -1})
		}
		if err := b.end(c); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("end: %v, want the deadline", err)
		}
		if err := c.Close(); err == nil || !strings.Contains(err.Error(), "unmount the layers") {
			t.Errorf("close: %v, want it to name the layers", err)
		}
		if held := b.machine.Held(); len(held) != 2 {
			t.Errorf("the machine holds %v; the layer was taken from under a container that lives", held)
		}
		if err := (host.Host{Kernel: b.kernel, Service: b.client, Storage: b.machine, Network: b.machine}).Cleanup(t.Context(), "ns", "c", b.dir); err == nil {
			t.Error("a clean-up that could not end the system says that it has")
		}
		close(hang)
		synctest.Wait() // what hung has been answered, and given back
	})
}

// TestServiceDies: the end of the service is the end of its containers, and what is beside it is given back.
func TestServiceDies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		c, init := b.start(b.plan())
		b.service.Disconnect()
		if _, err := init.Wait(t.Context()); !errors.Is(err, errdefs.ErrUnavailable) {
			t.Errorf("wait: %v, want unavailable", err)
		}
		if err := b.end(c); err != nil {
			t.Error(err)
		}
	})
}

// TestConsole: a program with a terminal gets a console of its size, and the news of another.
func TestConsole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		b.service.Program("app.exe", func(p *hcstest.Proc) uint32 {
			if s := p.Parameters; !s.EmulateConsole || s.CreateStdErrPipe || len(s.ConsoleSize) != 2 || s.ConsoleSize[1] != 100 {
				t.Errorf("parameters %+v", s)
			}
			size := <-p.Resized()
			return uint32(size.Width)*1000 + uint32(size.Height)
		})
		c, init := b.start(b.plan(func(s *specs.Spec) {
			s.Process.Terminal, s.Process.ConsoleSize = true, &specs.Box{Width: 100, Height: 30}
		}))
		if err := init.Resize(120, 40); err != nil {
			t.Fatal(err)
		}
		if code, err := init.Wait(t.Context()); err != nil || code != 120040 {
			t.Errorf("ended with %d, %v; want 120040", code, err)
		}
		if err := b.end(c); err != nil {
			t.Error(err)
		}
	})
}

// siloName is the name of the job of container c.
const siloName = `\Container_c`

// silo makes the job that the service makes for a container.
func (b *bed) silo() *jobobject.Job {
	b.t.Helper()
	job, err := jobobject.Create(jobobject.Options{Name: siloName, TrackIO: true, Kernel: b.kernel})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = job.Close() }) // it has no members
	return job
}

// TestFiguresComeFromTheSilo: the service is not asked for what its job tells.
func TestFiguresComeFromTheSilo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		b.silo()
		c, _ := b.start(b.plan())
		if s, err := c.Stats(b.t.Context(), time.Now()); err != nil || !s.Has(stats.MetricProcessor) || !s.Has(stats.MetricStorage) {
			t.Errorf("statistics %v", s)
		}
		if _, err := c.Pids(); err != nil {
			t.Error(err)
		}
		if n := b.service.Calls("SystemProperties"); n != 0 {
			t.Errorf("the service was asked %d times", n)
		}
		if err := b.end(c); err != nil {
			t.Error(err)
		}
	})
}

// TestServerAffinity_LeavesServiceLimits: the silo is bound to its processors before anything runs in it, and keeps what
// the service set on it. Where it cannot be bound, there is no container.
func TestServerAffinity_LeavesServiceLimits(t *testing.T) {
	bound := func(s *specs.Spec) {
		s.Windows.Resources = &specs.WindowsResources{
			CPU:    &specs.WindowsCPUResources{Maximum: new(uint16(2500)), Affinity: []specs.WindowsCPUGroupAffinity{{Mask: 1}}},
			Memory: &specs.WindowsMemoryResources{Limit: new(uint64(512 << 20))},
		}
	}
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		if _, err := b.create(b.plan(bound)); !errdefs.IsNotFound(err) || !strings.Contains(err.Error(), "cpu.affinity") {
			t.Errorf("without a silo: %v, want not found, with the field", err)
		}
		b.settled()
		b.service.MakeJobs(b.kernel)
		c, _ := b.start(b.plan(bound))
		got, _ := b.kernel.Limits(siloName)
		// What the service has set is still in force.
		want := jobobject.Limits{KillOnClose: true, JobMemory: 512 << 20, CPURate: 2500, Affinity: []jobobject.GroupAffinity{{Mask: 1}}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("limits (-want +got):\n%s", diff)
		}
		if err := b.end(c); err != nil {
			t.Error(err)
		}
	})
}

// TestServerCreate_WhatUsersWrite_IsTaken: drives, backslashes at the end and prefixes that the service does not take are
// sent as it takes them.
func TestServerCreate_WhatUsersWrite_IsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		c, err := b.create(b.plan(func(s *specs.Spec) {
			for _, to := range []string{"D:", `E:\`, `C:\in\`, "/data"} {
				s.Mounts = append(s.Mounts, specs.Mount{Source: `C:\a`, Destination: to})
			}
			s.Windows.Devices = []specs.WindowsDevice{{IDType: "class", ID: "class/5B45201D-F2F2-4F3B-85BB-30FF1F953599"}}
		}))
		if err != nil {
			t.Fatal(err)
		}
		document, _ := b.service.Document("c")
		var got []string
		for _, m := range document.Container.MappedDirectories {
			got = append(got, m.ContainerPath)
		}
		if diff := cmp.Diff([]string{"D:", "E:", `C:\in`, `C:\data`}, got); diff != "" {
			t.Errorf("destinations (-want +got):\n%s", diff)
		}
		if err := b.end(c); err != nil {
			t.Error(err)
		}
	})
}

// TestServer_LayerBehindALink_KeepsItsID: the id of a layer is made from the name that the snapshotter gave it.
func TestServer_LayerBehindALink_KeepsItsID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		plan := b.plan()
		plan.Layers.Named, plan.Layers.Parents = plan.Layers.Parents, []string{`E:\3f2a`}
		c, _ := b.start(plan)
		id, err := b.machine.LayerID(`C:\layers\0`)
		if err != nil {
			t.Fatal(err)
		}
		document, _ := b.service.Document("c")
		if diff := cmp.Diff([]schema.Layer{{Id: id, Path: `E:\3f2a`}}, document.Container.Storage.Layers); diff != "" {
			t.Errorf("layers (-want +got):\n%s", diff)
		}
		if err := b.end(c); err != nil {
			t.Error(err)
		}
	})
}
