package engine_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/hcs/hcstest"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/schema"
)

// The other resources are released.
func TestWCOW_ServiceDies_ContainerEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := newEnvironment(t)
		c, init := env.start(env.plan())
		env.service.Disconnect()
		if _, err := init.Wait(t.Context()); !errors.Is(err, errdefs.ErrUnavailable) {
			t.Errorf("wait: %v, want unavailable", err)
		}
		if err := env.end(c); err != nil {
			t.Error(err)
		}
	})
}

func TestWCOW_Terminal_ConsoleIsResized(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := newEnvironment(t)
		env.service.Program("app.exe", func(p *hcstest.Proc) uint32 {
			if s := p.Parameters; !s.EmulateConsole || s.CreateStdErrPipe || len(s.ConsoleSize) != 2 || s.ConsoleSize[1] != 100 {
				t.Errorf("parameters %+v", s)
			}
			size := <-p.Resized()
			return uint32(size.Width)*1000 + uint32(size.Height)
		})
		c, init := env.start(env.plan(func(s *specs.Spec) {
			s.Process.Terminal, s.Process.ConsoleSize = true, &specs.Box{Width: 100, Height: 30}
		}))
		if err := init.Resize(context.Background(), 120, 40); err != nil {
			t.Fatal(err)
		}
		if code, err := init.Wait(t.Context()); err != nil || code != 120040 {
			t.Errorf("ended with %d, %v; want 120040", code, err)
		}
		if err := env.end(c); err != nil {
			t.Error(err)
		}
	})
}

// The processors are set before a process runs. If that fails, so does the create.
func TestWCOW_Affinity_KeepsServiceLimits(t *testing.T) {
	bound := func(s *specs.Spec) {
		s.Windows.Resources = &specs.WindowsResources{
			CPU:    &specs.WindowsCPUResources{Maximum: new(uint16(2500)), Affinity: []specs.WindowsCPUGroupAffinity{{Mask: 1}}},
			Memory: &specs.WindowsMemoryResources{Limit: new(uint64(512 << 20))},
		}
	}
	synctest.Test(t, func(t *testing.T) {
		env := newEnvironment(t)
		if _, err := env.create(env.plan(bound)); !errdefs.IsNotFound(err) || !strings.Contains(err.Error(), "cpu.affinity") {
			t.Errorf("without a silo: %v, want not found, with the field", err)
		}
		env.checkReleased()
		env.service.MakeJobs(env.kernel)
		c, _ := env.start(env.plan(bound))
		got, _ := env.kernel.Limits(siloName)
		// The limits of the service are in force as well.
		want := jobobject.Limits{KillOnClose: true, JobMemory: 512 << 20, CPURate: 2500, Affinity: []jobobject.GroupAffinity{{Mask: 1}}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("limits (-want +got):\n%s", diff)
		}
		if err := env.end(c); err != nil {
			t.Error(err)
		}
	})
}

// The service takes no backslash at the end, and no prefix.
func TestWCOW_UnusualPaths_SentAsServiceTakesThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := newEnvironment(t)
		c, err := env.create(env.plan(func(s *specs.Spec) {
			for _, to := range []string{"D:", `E:\`, `C:\in\`, "/data"} {
				s.Mounts = append(s.Mounts, specs.Mount{Source: `C:\a`, Destination: to})
			}
			s.Windows.Devices = []specs.WindowsDevice{{IDType: "class", ID: "class/5B45201D-F2F2-4F3B-85BB-30FF1F953599"}}
		}))
		if err != nil {
			t.Fatal(err)
		}
		document, _ := env.service.Document("c")
		var got []string
		for _, m := range document.Container.MappedDirectories {
			got = append(got, m.ContainerPath)
		}
		if diff := cmp.Diff([]string{"D:", "E:", `C:\in`, `C:\data`}, got); diff != "" {
			t.Errorf("destinations (-want +got):\n%s", diff)
		}
		if err := env.end(c); err != nil {
			t.Error(err)
		}
	})
}

// The id of a layer is derived from the path of the snapshotter.
func TestWCOW_LayerBehindLink_KeepsID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := newEnvironment(t)
		planned := env.plan()
		planned.Layers.Named, planned.Layers.Parents = planned.Layers.Parents, []string{`E:\3f2a`}
		c, _ := env.start(planned)
		id, err := env.machine.LayerID(`C:\layers\0`)
		if err != nil {
			t.Fatal(err)
		}
		document, _ := env.service.Document("c")
		if diff := cmp.Diff([]schema.Layer{{Id: id, Path: `E:\3f2a`}}, document.Container.Storage.Layers); diff != "" {
			t.Errorf("layers (-want +got):\n%s", diff)
		}
		if err := env.end(c); err != nil {
			t.Error(err)
		}
	})
}
