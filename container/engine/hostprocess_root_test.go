package engine_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/container/hostprocess"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/jobobject"
)

// The members have the layers and the mount at paths of the container. The kernel opens the program for the shim, so it
// gets a path of the host.
func TestHostProcess_RootInSilo_BoundAndStarted(t *testing.T) {
	env := newHostProcessEnvironment(t)
	planned := env.job(true)
	c, err := env.engine.HostProcess(t.Context(), "ns", "c", env.dir, planned)
	if err != nil {
		t.Fatal(err)
	}
	want := []jobobject.Mapping{{Root: `C:\hpc`, Target: volume}, {Root: `C:\var\data`, Target: `C:\data`}}
	if diff := cmp.Diff(want, env.kernel.Mappings(hostprocess.JobName("ns", "c"))); diff != "" {
		t.Errorf("mappings (-want +got):\n%s", diff)
	}
	for _, link := range []string{`Link ` + volume + `var\data to C:\data`, `Link ` + volume + `same to C:\same`} {
		if !slices.Contains(env.machine.Calls(), link) {
			t.Errorf("no %s: %q", link, env.machine.Calls())
		}
	}
	if err := env.start(c, &planned.Process); err != nil {
		t.Fatal(err)
	}
	if !env.recorder.process.BreakAway {
		t.Error("the process stays in the job of the shim, which permits breakaway")
	}
	if o := env.recorder.process; o.Application != volume+`bin\app.exe` || o.Dir != `C:\hpc\` || o.Token == 0 {
		t.Errorf("started %s in %s with token %d", o.Application, o.Dir, o.Token)
	}
	wantEnv := `Path=C:\bin;C:\hpc;C:\Windows\System32\WindowsPowerShell\v1.0;C:\Windows\System32\Wbem`
	if !slices.Contains(env.recorder.process.Env, wantEnv) || !slices.Contains(env.recorder.process.Env, `CONTAINER_SANDBOX_MOUNT_POINT=C:\hpc\`) {
		t.Errorf("environment %q", env.recorder.process.Env)
	}
	if text := env.record(); !strings.Contains(text, `"C:\\var"`) || strings.Contains(strings.ToLower(text), "password") {
		t.Errorf("record %s", text)
	}
	env.end(c)
}

// Only kill on close is set before, which a silo must have.
func TestHostProcess_SiloWithLimits_PromotedFirst(t *testing.T) {
	env := newHostProcessEnvironment(t)
	limited := func(s *specs.Spec) {
		s.Windows.Resources = &specs.WindowsResources{
			CPU:    &specs.WindowsCPUResources{Maximum: new(uint16(2500)), Affinity: []specs.WindowsCPUGroupAffinity{{Mask: 1}}},
			Memory: &specs.WindowsMemoryResources{Limit: new(uint64(512 << 20))},
		}
	}
	c, err := env.engine.HostProcess(t.Context(), "ns", "c", env.dir, env.job(true, limited))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"kill on close", "silo", jobobject.ExtendedLimits.String(), jobobject.CPULimits.String(), jobobject.AffinityLimits.String()}
	if diff := cmp.Diff(want, env.recorder.limits); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	env.end(c)
}

// The program and the directory are on the host, in a mount, or in the root file system.
func TestHostProcess_ExecInSilo_ProgramAndDirectory(t *testing.T) {
	env := newHostProcessEnvironment(t)
	env.machine.Put(`C:\data\tool.exe`, `C:\data\sub\`)
	planned := env.job(true)
	c, err := env.engine.HostProcess(t.Context(), "ns", "c", env.dir, planned)
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
		if err := env.start(c, exec); err != nil {
			t.Fatal(err)
		}
		if o := env.recorder.process; o.Application != tt.application || o.Dir != tt.dir || !env.machine.IsDir(tt.dir) {
			t.Errorf("%s in %s: started %s in %s", tt.program, tt.cwd, o.Application, o.Dir)
		}
	}
	exec, err := planned.Exec(&specs.Process{Args: []string{"gone"}, Cwd: `C:\`})
	if err != nil {
		t.Fatal(err)
	}
	if err := env.start(c, exec); !errdefs.IsNotFound(err) {
		t.Errorf("a missing program: %v", err)
	}
	if !env.machine.IsDir(volume + `made\here`) {
		t.Error("the directory was not made in the root file system")
	}
	env.end(c)
	late, err := planned.Exec(&specs.Process{Args: []string{"/bin/app"}, Cwd: "/late"})
	if err != nil {
		t.Fatal(err)
	}
	if err := env.start(c, late); !errdefs.IsFailedPrecondition(err) {
		t.Errorf("an exec after the end: %v", err)
	}
	env.checkEmpty()
}

// The PATH is that of the user or of the specification, extended by the root file system.
func TestHostProcess_BareProgramName_SearchedInItsPath(t *testing.T) {
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
			env := newHostProcessEnvironment(t)
			env.machine.Put(`C:\bin\usertool.exe`, `C:\image\imagetool.exe`, powershell, `C:\shim\shimtool.exe`)
			process := &specs.Process{Args: []string{tt.program}, Env: tt.env, Cwd: `C:\Windows`}
			planned := env.job(silo, func(s *specs.Spec) { process.User = s.Process.User; s.Process = process })
			c, err := env.engine.HostProcess(t.Context(), "ns", "c", env.dir, planned)
			if err != nil {
				t.Fatal(err)
			}
			exec, err := planned.Exec(process)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range []*plan.Process{&planned.Process, exec} {
				env.recorder.process = jobobject.ProcessOptions{}
				err := env.start(c, p)
				if got := env.recorder.process.Application; got != tt.want || (tt.want != "") != (err == nil) || err != nil && !errdefs.IsNotFound(err) {
					t.Errorf("%s, silo %t, init %t: started %q, want %q: %v", tt.name, silo, p == &planned.Process, got, tt.want, err)
				}
			}
			env.end(c)
		}
	}
}

func TestHostProcess_RootWithoutSilo_MountedAndStarted(t *testing.T) {
	env := newHostProcessEnvironment(t)
	planned := env.job(false)
	c, err := env.engine.HostProcess(t.Context(), "ns", "c", env.dir, planned)
	if err != nil {
		t.Fatal(err)
	}
	if err := env.start(c, &planned.Process); err != nil {
		t.Fatal(err)
	}
	if o := env.recorder.process; o.Application != `C:\hpc\c\bin\app.exe` || o.Dir != `C:\hpc\c\` {
		t.Errorf("started %s in %s", o.Application, o.Dir)
	}
	if !slices.Contains(env.machine.Calls(), `Link C:\hpc\c\var\data to C:\data`) {
		t.Errorf("no link: %q", env.machine.Calls())
	}
	if len(env.kernel.Mappings(hostprocess.JobName("ns", "c"))) > 0 {
		t.Error("there are mappings")
	}
	env.end(c)
}

func TestHostProcess_MissingProgram_StartFails(t *testing.T) {
	env := newHostProcessEnvironment(t)
	planned := env.job(true, func(s *specs.Spec) { s.Process.Args = []string{"gone"} })
	c, err := env.engine.HostProcess(t.Context(), "ns", "c", env.dir, planned)
	if err != nil {
		t.Fatal(err)
	}
	if err := env.start(c, &planned.Process); !errdefs.IsNotFound(err) || !strings.Contains(err.Error(), "process.args[0]") {
		t.Errorf("start: %v", err)
	}
	env.end(c)
}

// Every user may make directories in the root of a drive, and keeps all rights to what is made there.
func TestHostProcess_RootInDirectoryOfAnotherUser_Refused(t *testing.T) {
	for _, silo := range []bool{true, false} {
		env := newHostProcessEnvironment(t)
		env.machine.GiveAway(`C:\hpc`)
		held := len(env.machine.Held())
		_, err := env.engine.HostProcess(t.Context(), "ns", "c", env.dir, env.job(silo))
		if !errdefs.IsFailedPrecondition(err) || !strings.Contains(err.Error(), "another user owns it") {
			t.Errorf("silo %t: %v, want a failed precondition", silo, err)
		}
		if got := env.machine.Held(); len(got) != held {
			t.Errorf("silo %t: %v is held", silo, got)
		}
	}
}
