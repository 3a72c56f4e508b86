package plan

import (
	"errors"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/jobobject"
)

func newJob(t *testing.T, h Machine, change ...func(*specs.Spec)) *HostProcess {
	t.Helper()
	j, err := h.HostProcess("c", hostProcessSpec(change...), nil)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func TestExec_Process_IsPlanned(t *testing.T) {
	j := newJob(t, machine(app, `C:\tools\cat.exe`), annotate("microsoft.com/hostprocess-inherit-user", ""),
		func(s *specs.Spec) { s.Process.User.Username = `NT AUTHORITY\SYSTEM` })
	got, err := j.Exec(&specs.Process{
		Args: []string{"CAT", "a b", ""}, Env: []string{`Path=C:\tools;D:\x`, "EMPTY=", "a=1", "A=2"},
		User: specs.User{Username: `nt authority\system`}, Terminal: true, ConsoleSize: &specs.Box{Width: 100, Height: 0},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := &Process{
		Program: "CAT", Field: "process.args[0]", CommandLine: `CAT "a b" ""`, Username: `NT AUTHORITY\SYSTEM`,
		Env: []string{`Path=C:\tools;D:\x`, "EMPTY=", "A=2"}, Terminal: true, Width: 100, Height: 25,
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Process{}, "Search")); diff != "" {
		t.Errorf("exec (-want +got):\n%s", diff)
	}
	if application, dir, err := got.Search.In(nil, got.Env); application != `C:\tools\CAT.exe` || dir != `C:\app` || err != nil {
		t.Errorf("found %s in %s, %v", application, dir, err)
	}
}

func TestExec_CommandLine_PrecedesArgsUnchanged(t *testing.T) {
	j := newJob(t, machine(app))
	line := `"C:\app\app"   /c  "x \ y" ^&  `
	got, err := j.Exec(&specs.Process{CommandLine: line, Args: []string{"other"}})
	if err != nil {
		t.Fatal(err)
	}
	if application, _, err := got.Search.In(nil, nil); got.CommandLine != line || application != app || err != nil {
		t.Errorf("application %s, command line %s, %v", application, got.CommandLine, err)
	}
}

func TestSearchPath_Find_OrderOfPlaces(t *testing.T) {
	search := func(files ...string) searchPath {
		return searchPath{windows: `C:\Windows`, isFile: machine(files...).Lookup, dir: `C:\work`, path: `relative;;"C:\a b";c:/bin\;`}
	}
	tests := []struct {
		name    string
		files   []string
		program string
		want    string
	}{
		{"working directory first", []string{`C:\work\x.exe`, `C:\bin\x.exe`}, "x", `C:\work\x.exe`},
		{"path in its order", []string{`C:\bin\x.exe`, `C:\a b\x.exe`}, "x", `C:\a b\x.exe`},
		{"path with slashes", []string{`C:\bin\x.exe`}, "x.exe", `c:\bin\x.exe`},
		{"system directories last", []string{`C:\Windows\System32\x.exe`, `C:\Windows\x.exe`}, "x", `C:\Windows\System32\x.exe`},
		{"windows directory", []string{`C:\Windows\x.exe`}, "x", `C:\Windows\x.exe`},
		{"no extension at all", []string{`C:\a b\x`}, "x", `C:\a b\x`},
		{"an exe before that", []string{`C:\work\x`, `C:\Windows\x.exe`}, "x", `C:\Windows\x.exe`},
		{"another extension stays", []string{`C:\work\x.com`}, "x.com", `C:\work\x.com`},
		{"full path", []string{`D:\x.exe`}, `D:/x`, `D:\x.exe`},
		{"share", []string{`\\server\share\x.exe`}, `\\server\share\x.exe`, `\\server\share\x.exe`},
		{"below the working directory", []string{`C:\work\bin\x.exe`}, `bin/x`, `C:\work\bin\x.exe`},
		{"here", []string{`C:\work\x.exe`}, `.\x`, `C:\work\x.exe`},
		{"on this drive", []string{`C:\x.exe`}, `\x`, `C:\x.exe`},
		{"a dot in the directory", []string{`C:\v1.2\x.exe`}, `C:\v1.2\x`, `C:\v1.2\x.exe`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := search(tt.files...).find("process.args[0]", tt.program)
			if err != nil || got != tt.want {
				t.Errorf("found %q, %v; want %s", got, err, tt.want)
			}
		})
	}
	_, err := search().find("process.args[0]", "x")
	want := `process.args[0]: program "x" not found: searched C:\work\x.exe; C:\a b\x.exe; c:\bin\x.exe; ` +
		`C:\Windows\System32\x.exe; C:\Windows\System\x.exe; C:\Windows\x.exe; ` +
		`C:\work\x; C:\a b\x; c:\bin\x; C:\Windows\System32\x; C:\Windows\System\x; C:\Windows\x: not found`
	if !errors.Is(err, errdefs.ErrNotFound) || err.Error() != want {
		t.Errorf("error %v\n want %s", err, want)
	}
}

func TestSearchPath_BatchFile_IsRefused(t *testing.T) {
	for _, program := range []string{"x.bat", `C:\a\x.CMD`, "x.cmd.", "x.bat . ", "dir/x.bat"} {
		s := searchPath{isFile: func(string) bool { return true }, dir: `C:\`}
		if _, err := s.find("process.args[0]", program); !errors.Is(err, errdefs.ErrInvalidArgument) || !strings.Contains(err.Error(), "batch file") {
			t.Errorf("%q: %v, want a refusal", program, err)
		}
	}
}

func TestExec_InvalidProcess_NamesFieldWithoutValue(t *testing.T) {
	j := newJob(t, machine(app))
	good := func(change func(*specs.Process)) *specs.Process {
		p := &specs.Process{Args: []string{app}, Cwd: `C:\`}
		change(p)
		return p
	}
	const secret = "hunter2"
	long := strings.Repeat("ü", maxText-len(app)-1)
	tests := []struct {
		name    string
		process *specs.Process
		want    string
	}{
		{"nothing", nil, "process is missing"},
		{"no args", good(func(p *specs.Process) { p.Args = nil }), "process.args is empty"},
		{"NUL in an argument", good(func(p *specs.Process) { p.Args = []string{app, secret + "\x00"} }), "process.args[1] contains NUL"},
		{"NUL in the command line", good(func(p *specs.Process) { p.CommandLine = app + "\x00" }), "process.commandLine contains NUL"},
		{"a mark in the program", good(func(p *specs.Process) { p.Args = []string{`"app"`} }), "process.args[0] contains a quotation mark"},
		{"no program", good(func(p *specs.Process) { p.Args = []string{""} }), "process.args[0]: it names no program"},
		{"only dots", good(func(p *specs.Process) { p.Args = []string{`C:\..`} }), "process.args[0]: it names no program"},
		{"a drive's directory", good(func(p *specs.Process) { p.Args = []string{`C:app`} }), "drive's working directory"},
		{"too long", good(func(p *specs.Process) { p.Args = []string{app, long} }), "process.args is 32767 characters long"},
		{"too long a command line", good(func(p *specs.Process) { p.CommandLine = app + " " + long }), "process.commandLine is 32767"},
		{"relative directory", good(func(p *specs.Process) { p.Cwd = `app` }), "process.cwd"},
		{"a drive without a backslash", good(func(p *specs.Process) { p.Cwd = `C:` }), "process.cwd"},
		{"a directory without a drive", good(func(p *specs.Process) { p.Cwd = `/app` }), "process.cwd"},
		{"NUL in the directory", good(func(p *specs.Process) { p.Cwd = "C:\\\x00" }), "process.cwd contains NUL"},
		{"NUL in the environment", good(func(p *specs.Process) { p.Env = []string{"A=1", "B=" + secret + "\x00C=2"} }), "process.env[1] contains NUL"},
		{"no value", good(func(p *specs.Process) { p.Env = []string{secret} }), `process.env[0] has no "="`},
		{"no name", good(func(p *specs.Process) { p.Env = []string{"=" + secret} }), "process.env[0] has no name"},
		{"too long a variable", good(func(p *specs.Process) { p.Env = []string{"A=" + strings.Repeat("x", maxText)} }), "process.env[0] is"},
		{"too wide", good(func(p *specs.Process) { p.ConsoleSize = &specs.Box{Width: 1 << 15} }), "process.consoleSize"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := j.Exec(tt.process)
			if !errors.Is(err, errdefs.ErrInvalidArgument) || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("error %v; want an invalid argument with %q", err, tt.want)
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("error %v contains a secret", err)
			}
		})
	}
	if _, err := j.Exec(good(func(p *specs.Process) { p.Args = []string{app, long[:len(long)-2]} })); err != nil {
		t.Errorf("the longest command line: %v", err)
	}
}

func TestExec_OtherUser_IsRefused(t *testing.T) {
	j := newJob(t, machine(app), annotate("microsoft.com/hostprocess-inherit-user", ""),
		func(s *specs.Spec) { s.Process.User.Username = "LocalService" })
	_, err := j.Exec(&specs.Process{Args: []string{app}, User: specs.User{Username: "other"}})
	if !errors.Is(err, errdefs.ErrNotImplemented) || !strings.Contains(err.Error(), "process.user.username") {
		t.Errorf("error %v; want not implemented, with the field", err)
	}
}

func TestExec_NoRootFileSystem_VariableIsNotSubstituted(t *testing.T) {
	j := newJob(t, machine(app))
	got, err := j.Exec(&specs.Process{Args: []string{app, "%CONTAINER_SANDBOX_MOUNT_POINT%"}})
	if err != nil {
		t.Fatal(err)
	}
	if got.CommandLine != app+" %CONTAINER_SANDBOX_MOUNT_POINT%" || len(got.Env) > 0 {
		t.Errorf("command line %s, environment %v", got.CommandLine, got.Env)
	}
}

// TestMachineProgram: the program is searched in its own PATH over the one of the base; the plan has no search left.
func TestMachineProgram(t *testing.T) {
	m := machine(`C:\tools\app.exe`)
	got, err := m.Program([]string{"app", "a b"}, `C:\work`, []string{"A=1"}, []string{`PATH=C:\tools`, "B=2"})
	if err != nil {
		t.Fatal(err)
	}
	want := Process{
		Program: `C:\tools\app.exe`, Field: "process.args[0]", CommandLine: `app "a b"`, Dir: `C:\work`, Env: []string{"A=1"},
		Width: 80, Height: 25,
	}
	if diff := cmp.Diff(want, got.Process); diff != "" {
		t.Errorf("process (-want +got):\n%s", diff)
	}
	if !got.InheritUser || got.Root != nil || got.Silo || !cmp.Equal(got.Limits, jobobject.Limits{}) {
		t.Errorf("plan %+v, want the own user, the host's files and no limits", got)
	}
	if _, err := m.Program([]string{"app"}, `C:\work`, []string{`PATH=C:\elsewhere`}, []string{`PATH=C:\tools`}); !errdefs.IsNotFound(err) {
		t.Errorf("with another PATH: %v, want not found", err)
	}
}
