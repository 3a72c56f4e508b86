package command_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/cmd/silo/command"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// newHost is a world in which C:\bin\app.exe is found with the environment of a service.
func newHost(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.Program("app.exe", func(*jobtest.Proc) uint32 { t.Error("the program was started"); return 0 })
	return w
}

// pipe makes text the stdin of silo.
func (w *world) pipe(t *testing.T, text string) {
	t.Helper()
	f, err := os.Open(w.file(t, "stdin", text))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	w.app.Stdin = f
}

// Each of these would be a service that cannot start.
func TestServiceInstall_BadCommandLine_Refused(t *testing.T) {
	for name, c := range map[string]struct{ args, want string }{
		"another verb":        {"web -- ps", "the verb must be run, supervise"},
		"no verb":             {"web", "the verb must be run, supervise"},
		"a flag of no verb":   {"web -- run --frob -- app", "silo run: unknown flag: --frob"},
		"a limit of 0":        {"web -- run --memory 0 -- app", `--memory: "0" is no limit`},
		"no program":          {"web -- run", "say which program to run"},
		"missing program":     {`web -- run -w C:\work -- missing.exe`, "missing.exe: no such program"},
		"detached":            {`web -- run -w C:\work -d -- app`, "leave it out"},
		"help":                {"web -- run --help", "--help is no command of a service"},
		"nothing to do":       {"web -- supervise", "say which program to run"},
		"help of supervise":   {"web -- supervise --help", "--help is no command of a service"},
		"a variable of Damon": {"web -e DAMON_CPU_LIMIT=x -- supervise app", "DAMON_CPU_LIMIT"},
		"path":                {"web -- metrics --path /{a}", "--path"},
		"open address":        {"web -- metrics --listen 0.0.0.0:1", "--expose"},
		"argument":            {"web -- metrics extra", `unknown command "extra"`},
		"configuration":       {"web -- nspawn -c no/such/file", "read nspawn configuration"},
		"events":              {"web -- events --frob", "unknown flag: --frob"},
		"name":                {"a/b -- metrics", `service "a/b"`},
		"directory":           {"web -w no/such/directory -- metrics", "--workdir"},
		"variable":            {"web -e =x -- metrics", "no name before"},
		"file of variables":   {"web --env-file no/such/file -- metrics", "--env-file"},
		"size of the log":     {"web --log-max-size 0 -- metrics", "--log-max-size"},
		"account, no domain":  {"web --account jane -- metrics", `such as .\jane`},
		"account of a person": {`web --account .\jane -- metrics`, "add --password-stdin"},
		"needless password":   {"web --account LocalService --password-stdin -- metrics", "leave --password-stdin out"},
		"empty password":      {`web --account .\jane --password-stdin -- metrics`, "stdin has no password"},
		"huge password":       {`web --account .\jane --password-stdin -- metrics`, "longer than 1024 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newHost(t)
			stdin := "\r\n"
			if name == "huge password" {
				stdin = strings.Repeat("x", 2000)
			}
			w.pipe(t, stdin)
			args := strings.Fields(c.args)
			if name != "directory" {
				args = append([]string{"-w", w.dir, "-e", `PATH=C:\bin`}, args...)
			}
			if code := w.silo(t, append([]string{"service", "install"}, args...)...); code == 0 || !strings.Contains(w.Stderr.String(), c.want) {
				t.Errorf("exit %d: %s, want %q", code, &w.Stderr, c.want)
			}
			if w.Calls("CreateJob") != 0 {
				t.Error("a job was made")
			}
		})
	}
}

func TestServiceInstall_CommandLine_HasAllThatTheServiceNeeds(t *testing.T) {
	w := newHost(t)
	w.app.Env = append(w.app.Env, "TOKEN=hush")
	file := w.file(t, "env", "\uFEFFFROM_FILE=1\nUNSET")
	got, err := command.PlanService(t.Context(), w.app, "-w", w.dir, "--log", "web.log", "--log-max-files", "2", "-e", `PATH=C:\bin`, "-e", "TOKEN", "--env-file", file,
		"web", "--", "run", "--memory", "1g", "-w", `C:\work`, "--", "app", "--name", "two words")
	if err != nil {
		t.Fatal(err)
	}
	want := command.PlannedService{
		Account: "LocalSystem",
		Args: []string{
			"service", "run", "--workdir", w.dir, "--log", filepath.Join(w.dir, "web.log"), "--log-max-size", "10", "--log-max-files", "2", "web", "--",
			"run", "--name", "web", "--memory", "1g", "-w", `C:\work`, "--", "app", "--name", "two words",
		},
		Env: []string{"FROM_FILE=1", `PATH=C:\bin`, "TOKEN=hush"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("service (-want +got):\n%s", diff)
	}
	got, err = command.PlanService(t.Context(), w.app, "-w", w.dir, "exporter", "--", "metrics")
	if err != nil || !slices.ContainsFunc(got.Args, func(arg string) bool {
		return filepath.IsAbs(arg) && strings.HasSuffix(filepath.ToSlash(arg), "/silo/service/exporter/output.log")
	}) {
		t.Errorf("%q %v, want a log by default", got.Args, err)
	}
	got, err = command.PlanService(t.Context(), w.app, "-w", w.dir, "-e", `PATH=C:\bin`, "web", "--", "run", "--name", "own", "-w", `C:\work`, "--", "app")
	if err != nil || slices.Contains(got.Args[slices.Index(got.Args, "--"):], "web") {
		t.Errorf("%q %v, want the name that was given", got.Args, err)
	}
}

func TestServiceInstall_Account_InFull(t *testing.T) {
	for account, want := range map[string]command.PlannedService{
		"system":                       {Account: "LocalSystem"},
		"Local Service":                {Account: `NT AUTHORITY\LocalService`},
		`nt authority\network service`: {Account: `NT AUTHORITY\NetworkService`},
		`NT SERVICE\web`:               {Account: `NT SERVICE\web`},
		`CORP\managed$`:                {Account: `CORP\managed$`},
		`CORP\jane`:                    {Account: `CORP\jane`, Password: "se cret"},
		"jane@corp.example":            {Account: "jane@corp.example", Password: "se cret"},
	} {
		w := newHost(t)
		w.pipe(t, "\uFEFFse cret\r\nrest")
		args := []string{"-w", w.dir, "--account", account, "web", "--", "metrics"}
		if want.Password != "" {
			args = append([]string{"--password-stdin"}, args...)
		}
		got, err := command.PlanService(t.Context(), w.app, args...)
		if err != nil || got.Account != want.Account || got.Password != want.Password || strings.Contains(strings.Join(got.Args, " "), "cret") {
			t.Errorf("%s: %+v, %v; want %+v", account, got, err, want)
		}
	}
}
