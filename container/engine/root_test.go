package engine_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/containertest"
	"github.com/siloshim/siloshim/container/hostprocess"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/jobobject"
)

// TestRootInASilo: the members see the layers and the mount at the container's paths; the kernel, which opens the
// program for the shim, gets the host's.
func TestRootInASilo(t *testing.T) {
	b := newRootBed(t)
	planned := b.job(true)
	c, err := b.host.HostProcess(t.Context(), "ns", "c", b.dir, planned)
	if err != nil {
		t.Fatal(err)
	}
	want := []jobobject.Mapping{{Root: `C:\hpc`, Target: volume}, {Root: `C:\var\data`, Target: `C:\data`}}
	if diff := cmp.Diff(want, b.kernel.Mappings(hostprocess.JobName("ns", "c"))); diff != "" {
		t.Errorf("mappings (-want +got):\n%s", diff)
	}
	for _, link := range []string{`Link ` + volume + `var\data to C:\data`, `Link ` + volume + `same to C:\same`} {
		if !slices.Contains(b.machine.Calls(), link) {
			t.Errorf("no %s: %q", link, b.machine.Calls())
		}
	}
	if err := b.start(c, &planned.Process); err != nil {
		t.Fatal(err)
	}
	if !b.listen.told.BreakAway {
		t.Error("the program stays in a job of the shim's that would let it out")
	}
	if o := b.listen.told; o.Application != volume+`bin\app.exe` || o.Dir != `C:\hpc\` || o.Token == 0 {
		t.Errorf("started %s in %s with token %d", o.Application, o.Dir, o.Token)
	}
	wantEnv := `Path=C:\bin;C:\hpc;C:\Windows\System32\WindowsPowerShell\v1.0;C:\Windows\System32\Wbem`
	if !slices.Contains(b.listen.told.Env, wantEnv) || !slices.Contains(b.listen.told.Env, `CONTAINER_SANDBOX_MOUNT_POINT=C:\hpc\`) {
		t.Errorf("environment %q", b.listen.told.Env)
	}
	if text := b.ledger(); !strings.Contains(text, `"C:\\var"`) || strings.Contains(strings.ToLower(text), "password") {
		t.Errorf("list of resources %s", text)
	}
	b.end(c)
}

// TestJob_SiloWithLimits_PromotedFirst: nothing but kill on close, which a silo must have, is set before.
func TestJob_SiloWithLimits_PromotedFirst(t *testing.T) {
	b := newRootBed(t)
	limited := func(s *specs.Spec) {
		s.Windows.Resources = &specs.WindowsResources{
			CPU:    &specs.WindowsCPUResources{Maximum: new(uint16(2500)), Affinity: []specs.WindowsCPUGroupAffinity{{Mask: 1}}},
			Memory: &specs.WindowsMemoryResources{Limit: new(uint64(512 << 20))},
		}
	}
	c, err := b.host.HostProcess(t.Context(), "ns", "c", b.dir, b.job(true, limited))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"kill on close", "silo", jobobject.ExtendedLimits.String(), jobobject.CPULimits.String(), jobobject.AffinityLimits.String()}
	if diff := cmp.Diff(want, b.listen.set); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	b.end(c)
}

// TestExecInASilo: each process has a program and a directory of its own, from wherever the container sees them.
func TestExecInASilo(t *testing.T) {
	b := newRootBed(t)
	b.machine.Put(`C:\data\tool.exe`, `C:\data\sub\`)
	planned := b.job(true)
	c, err := b.host.HostProcess(t.Context(), "ns", "c", b.dir, planned)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ program, cwd, application, dir string }{
		{"notepad", `C:\Windows`, `C:\Windows\notepad.exe`, `C:\Windows`},
		{`C:\var\data\tool.exe`, `C:\var\data\sub`, `C:\data\tool.exe`, `C:\var\data\sub`},
		{"/bin/app", `C:\work`, volume + `bin\app.exe`, `C:\hpc\work`},
		{"/bin/app", `/made/here`, volume + `bin\app.exe`, `C:\hpc\made\here`},
	} {
		exec, err := planned.Exec(&specs.Process{Args: []string{tt.program}, Cwd: tt.cwd})
		if err != nil {
			t.Fatal(err)
		}
		if err := b.start(c, exec); err != nil {
			t.Fatal(err)
		}
		if o := b.listen.told; o.Application != tt.application || o.Dir != tt.dir || !b.machine.IsDir(tt.dir) {
			t.Errorf("%s in %s: started %s in %s", tt.program, tt.cwd, o.Application, o.Dir)
		}
	}
	exec, err := planned.Exec(&specs.Process{Args: []string{"gone"}, Cwd: `C:\`})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.start(c, exec); !errdefs.IsNotFound(err) {
		t.Errorf("a program that is not there: %v", err)
	}
	if !b.machine.IsDir(volume + `made\here`) {
		t.Error("the directory was not made in the image")
	}
	b.end(c)
	late, err := planned.Exec(&specs.Process{Args: []string{"/bin/app"}, Cwd: "/late"})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.start(c, late); !errdefs.IsFailedPrecondition(err) {
		t.Errorf("an exec after the end: %v", err)
	}
	b.gone()
}

// TestProgram_BareName_SoughtInThePathItGets: of its user, of its spec, and what the root adds, for init and exec, in a
// silo and without one.
func TestProgram_BareName_SoughtInThePathItGets(t *testing.T) {
	const powershell = `C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe`
	for _, tt := range []struct {
		name, program string
		env           []string
		want          string
	}{
		{"the user's", "usertool", nil, `C:\bin\usertool.exe`},
		{"the spec's", "imagetool", []string{`path=C:\image`}, `C:\image\imagetool.exe`},
		{"what the root adds to the user's", "powershell", nil, powershell},
		{"what the root adds to the spec's", "powershell", []string{`PATH=C:\image`}, powershell},
		{"not the user's beside the spec's", "usertool", []string{`PATH=C:\image`}, ""},
		{"not the shim's", "shimtool", nil, ""},
	} {
		for _, silo := range []bool{true, false} {
			b := newRootBed(t)
			b.machine.Put(`C:\bin\usertool.exe`, `C:\image\imagetool.exe`, powershell, `C:\shim\shimtool.exe`)
			process := &specs.Process{Args: []string{tt.program}, Env: tt.env, Cwd: `C:\Windows`}
			planned := b.job(silo, func(s *specs.Spec) { process.User = s.Process.User; s.Process = process })
			c, err := b.host.HostProcess(t.Context(), "ns", "c", b.dir, planned)
			if err != nil {
				t.Fatal(err)
			}
			exec, err := planned.Exec(process)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range []*plan.Process{&planned.Process, exec} {
				b.listen.told = jobobject.ProcessOptions{}
				err := b.start(c, p)
				if got := b.listen.told.Application; got != tt.want || (tt.want != "") != (err == nil) || err != nil && !errdefs.IsNotFound(err) {
					t.Errorf("%s, silo %t, init %t: started %q, want %q: %v", tt.name, silo, p == &planned.Process, got, tt.want, err)
				}
			}
			b.end(c)
		}
	}
}

func TestRootWithoutASilo(t *testing.T) {
	b := newRootBed(t)
	planned := b.job(false)
	c, err := b.host.HostProcess(t.Context(), "ns", "c", b.dir, planned)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.start(c, &planned.Process); err != nil {
		t.Fatal(err)
	}
	if o := b.listen.told; o.Application != `C:\hpc\c\bin\app.exe` || o.Dir != `C:\hpc\c\` {
		t.Errorf("started %s in %s", o.Application, o.Dir)
	}
	if !slices.Contains(b.machine.Calls(), `Link C:\hpc\c\var\data to C:\data`) {
		t.Errorf("no link: %q", b.machine.Calls())
	}
	if len(b.kernel.Mappings(hostprocess.JobName("ns", "c"))) > 0 {
		t.Error("there are mappings")
	}
	b.end(c)
}

// TestRootIsSharedOut: two containers need one directory on the host; it goes with the last of them.
func TestRootIsSharedOut(t *testing.T) {
	b := newRootBed(t)
	other := newRootBed(t)
	first, err := b.host.HostProcess(t.Context(), "ns", "c", b.dir, b.job(true))
	if err != nil {
		t.Fatal(err)
	}
	planned := b.job(true, func(s *specs.Spec) {
		s.Windows.LayerFolders[1], s.Process.User.Username = `C:\scratch2`, "system"
	})
	b.machine.Put(containertest.VolumeOf(`C:\scratch2`) + `bin\app.exe`)
	second, err := b.host.HostProcess(t.Context(), "ns", "d", other.dir, planned)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(first.Terminate(t.Context(), container.Killed), first.Close()); err != nil {
		t.Error(err)
	}
	for _, dir := range []string{`c:\hpc`, `c:\var`} {
		if !slices.Contains(b.machine.Held(), "kept "+dir) {
			t.Errorf("%s went while it was kept: %v", dir, b.machine.Held())
		}
	}
	b.end(second)
}

// TestRootFailsAtEveryStep: whatever fails, create says so and leaves nothing.
func TestRootFailsAtEveryStep(t *testing.T) {
	broken := errors.New("broken")
	for _, silo := range []bool{true, false} {
		for _, method := range []string{"IsGroup", "Create", "Logon", "LayerID", "Activate", "Prepare", "Volume", "Keep", "Mount", "Link"} {
			b := newRootBed(t)
			b.machine.Fail(method, 0, 99, broken)
			c, err := b.host.HostProcess(t.Context(), "ns", "c", b.dir, b.job(silo))
			if silo && (method == "Mount" || method == "Link") { // the one has no part in it, the other may fail
				if err != nil {
					t.Fatalf("%s in a silo: %v", method, err)
				}
				b.end(c)
				continue
			}
			if !errors.Is(err, broken) {
				t.Errorf("silo %t, %s: %v", silo, method, err)
			}
			b.gone()
		}
	}
	for _, call := range []string{"CreateSilo", "Bind"} {
		b := newRootBed(t)
		b.kernel.Fail(call, 1, broken)
		if _, err := b.host.HostProcess(t.Context(), "ns", "c", b.dir, b.job(true)); !errors.Is(err, broken) {
			t.Errorf("%s: %v", call, err)
		}
		b.gone()
	}
}

// TestAbsentProgram: that there is no such program is the start's to tell, of init as of an exec.
func TestAbsentProgram(t *testing.T) {
	b := newRootBed(t)
	planned := b.job(true, func(s *specs.Spec) { s.Process.Args = []string{"gone"} })
	c, err := b.host.HostProcess(t.Context(), "ns", "c", b.dir, planned)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.start(c, &planned.Process); !errdefs.IsNotFound(err) || !strings.Contains(err.Error(), "process.args[0]") {
		t.Errorf("start: %v", err)
	}
	b.end(c)
}

// TestRootIsGivenBackLater: what a Close could not give back stays on the list, for the next one.
func TestRootIsGivenBackLater(t *testing.T) {
	for _, silo := range []bool{true, false} {
		for _, method := range []string{"Unmount", "Unprepare", "Deactivate", "Unkeep", "Delete"} {
			synctest.Test(t, func(t *testing.T) {
				b := newRootBed(t)
				c, err := b.host.HostProcess(t.Context(), "ns", "c", b.dir, b.job(silo))
				if err != nil {
					t.Fatal(err)
				}
				b.machine.Fail(method, 0, 99, errors.New("busy"))
				if err := c.Terminate(t.Context(), container.Killed); err != nil {
					t.Error(err)
				}
				if err := c.Close(); err == nil && (!silo || method != "Unmount") {
					t.Errorf("silo %t, %s: the first close succeeded", silo, method)
				} else if err != nil {
					_ = b.ledger()
				}
				b.machine.Fail(method, 0, 0, nil)
				b.end(c)
			})
		}
	}
}

// TestRoot_DirectoryHeldByAnotherProgram_HoldsUpNothing: a virus scanner has it open for a moment, or for good.
func TestRoot_DirectoryHeldByAnotherProgram_HoldsUpNothing(t *testing.T) {
	for times, left := range map[int]bool{1: false, 4: false, 99: true} {
		synctest.Test(t, func(t *testing.T) {
			b := newRootBed(t)
			c, err := b.host.HostProcess(t.Context(), "ns", "c", b.dir, b.job(true))
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Terminate(t.Context(), container.Killed); err != nil {
				t.Error(err)
			}
			b.machine.Fail("Unkeep", 0, times, hostprocess.ErrHeld)
			if err := c.Close(); err != nil {
				t.Errorf("held %d times: %v", times, err)
			}
			if _, err := os.Stat(filepath.Join(b.dir, "silo-resources.json")); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("held %d times: the list is left: %v", times, err)
			}
			if held := b.machine.Held(); len(held) > 0 != left {
				t.Errorf("held %d times: %q are left", times, held)
			}
		})
	}
}

// TestRootOfADeadShim: cleanup gives back what the list says, and twice does no harm.
func TestRootOfADeadShim(t *testing.T) {
	for _, silo := range []bool{true, false} {
		b := newRootBed(t)
		planned := b.job(silo)
		c, err := b.host.HostProcess(t.Context(), "ns", "c", b.dir, planned)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.start(c, &planned.Process); err != nil {
			t.Fatal(err)
		}
		b.machine.Die()
		for range 2 {
			if err := b.host.Cleanup(t.Context(), "ns", "c", b.dir); err != nil {
				t.Errorf("silo %t: %v", silo, err)
			}
		}
		b.kernel.Wait()
		b.settled()
		if _, err := os.Stat(filepath.Join(b.dir, "silo-resources.json")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("silo %t: the list is left: %v", silo, err)
		}
	}
}
