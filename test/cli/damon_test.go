package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/test/damon"
	"github.com/siloshim/siloshim/test/workload"
)

// peer is Damon 0.1.1 and its test program, as Unix paths.
type peer struct {
	*silo
	damon011, testcmd string
}

func newPeer(t *testing.T) *peer {
	t.Helper()
	p := &peer{silo: newSilo(t), damon011: filepath.Join(built, "damon011.exe"), testcmd: filepath.Join(built, "testcmd.exe")}
	if _, err := os.Stat(p.testcmd); err == nil {
		return p
	}
	var err error
	p.damon011, p.testcmd, err = damon.Build(t.Context(), built)
	switch {
	case errors.Is(err, damon.ErrMissing):
		t.Skipf("missing on this machine: %v", err)
	case err != nil:
		t.Fatal(err)
	}
	return p
}

// locally is the environment of Damon's examples/damon-test-locally.ps1.
func (p *peer) locally(dir string) []string {
	dir = p.wine.WindowsPath(dir)
	return []string{
		"DAMON_LOG_MAX_SIZE=100", "DAMON_LOG_MAX_FILES=3", "DAMON_LOG_DIR=" + dir, "DAMON_LOG_NAME=damon.log",
		"NOMAD_ALLOC_DIR=" + dir, "NOMAD_ALLOC_ID=3f07eca7-adbc-454c-9e97-06d78ff28e28", "NOMAD_ALLOC_INDEX=1",
		"NOMAD_TASK_NAME=damon-test-task", "NOMAD_GROUP_NAME=damon-group", "NOMAD_JOB_NAME=damon-job", "NOMAD_DC=dev",
		"NOMAD_REGION=eastus2", "NOMAD_CPU_LIMIT=1024", "NOMAD_MEMORY_LIMIT=1024",
		"DAMON_ENFORCE_CPU_LIMIT=Y", "DAMON_CPU_LIMIT=2048", "DAMON_ENFORCE_MEMORY_LIMIT=Y", "DAMON_MEMORY_LIMIT=128",
		"DAMON_RESTRICTED_TOKEN=Y", "DAMON_ADDR=localhost:0", "DAMON_METRICS_ENDPOINT=/metrics",
	}
}

// Each of Damon's test workloads runs under silo supervise in its environment, and ends as it does alone.
func TestSupervise_DamonPrograms_EndAsAlone(t *testing.T) {
	p := newPeer(t)
	for _, c := range []struct {
		args []string
		want string // of its output
		code int
	}{
		{nil, "PID: ", 0}, {[]string{"err", "50ms"}, "rc 1", 1}, {[]string{"wait", "50ms"}, "rc 0", 0}, {[]string{"wait_nosig", "50ms"}, "rc 0", 0},
		{[]string{"cpu", "50ms"}, "rc 0", 0}, {[]string{"mem", "500ms"}, "rc 0", 0}, {[]string{"diskio", "200ms"}, "rc 0", 0},
		{[]string{"netio", "200ms"}, "rc 0", 0},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			dir := t.TempDir()
			alone := p.try(t, p.testcmd, nil, c.args...)
			supervise := append([]string{"supervise", p.wine.WindowsPath(p.testcmd)}, c.args...)
			got := p.try(t, p.exe, p.locally(dir), supervise...)
			if got.code != c.code || alone.code != c.code || !strings.HasPrefix(got.stdout, c.want) {
				t.Errorf("%+v, alone %+v, want %s and exit code %d", got, alone, c.want, c.code)
			}
			log, err := os.ReadFile(filepath.Join(dir, "damon.log"))
			for _, want := range []string{`"nomad_alloc_id":"3f07eca7-adbc-454c-9e97-06d78ff28e28"`, `"message":"creating restricted token"`, `"message":"damon exiting"`} {
				if err != nil || !strings.Contains(string(log), want) {
					t.Errorf("%v; no %s in the log:\n%s", err, want, log)
				}
			}
		})
	}
}

// The program receives the stop and reports it, and its exit code counts. It installs its handler a moment after its start;
// a stop before that ends it without output. Then the test stops another one.
func TestSupervise_Stop_ReachesTheProgram(t *testing.T) {
	p := newPeer(t)
	for n := range 10 {
		code, output := p.stopped(t, fmt.Sprintf("stopped-%d", n))
		if code == 1 && output == "rc 1" {
			return
		}
		if output != "" || code != unixControlCExit && code != killed && code != tooEarlyOnWine {
			t.Fatalf("exit code %d, output %q, want its rc 1", code, output)
		}
		t.Logf("the stop came before the handler was installed: exit code %d", code)
	}
	t.Error("ten programs were stopped and none has received the stop")
}

const (
	unixControlCExit = 0xC000013A & 0xff // STATUS_CONTROL_C_EXIT modulo 256: a console event has ended the program
	killed           = 137               // it did not handle the event, or had not been started
	tooEarlyOnWine   = 0                 // the event came before the code that makes Wine's exit code that of Windows was loaded
)

// stopped stops Damon's program under silo supervise, and returns its exit code and output. Each task has another name,
// because Wine may still list the previous job.
func (p *peer) stopped(t *testing.T, task string) (code int, output string) {
	t.Helper()
	out := scratch(t)
	cmd := p.command(t, p.damon, append(p.locally(t.TempDir()), "NOMAD_TASK_NAME="+task), p.wine.WindowsPath(p.testcmd), "wait", "10m")
	cmd.Stdout = out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var name string
	until(t, "silo ps lists it", func() bool {
		name = regexp.MustCompile(task + `-\d+`).FindString(p.run(t, "ps"))
		return name != ""
	})
	p.run(t, "stop", name)
	var ended *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), strings.TrimSpace(content(t, out))
}

// ran is the exit code of the program in TestSupervise_DamonVariables_AsDocumented: it shows that the program has run.
const ran = 7

// outcome is how a program ended, and which file is its log.
type outcome struct {
	code int
	log  string
}

// beside are environment variables with their effects on Damon 0.1.1 and silo. The log in damon.log is omitted.
var beside = []struct {
	env         string // separated by blanks; @ is a directory of the test
	damon, silo outcome
}{
	{"DAMON_LOG_MAX_SIZE=ten", outcome{code: ran}, outcome{1, "-"}},
	{"DAMON_LOG_MAX_FILES=many", outcome{code: ran}, outcome{1, "-"}},
	{"DAMON_LOG_MAX_FILES=0", outcome{code: ran}, outcome{code: ran}},
	{"DAMON_LOG_NAME=own.log", outcome{ran, "own.log"}, outcome{ran, "own.log"}},
	{"NOMAD_TASK_NAME=web", outcome{ran, "web.damon.log"}, outcome{ran, "web.damon.log"}},
	{"NOMAD_TASK_NAME=web DAMON_NOMAD_LOG_SUFFIX=.txt", outcome{ran, "web.txt"}, outcome{ran, "web.txt"}},
	{"DAMON_LOG_DIR= NOMAD_ALLOC_DIR=@", outcome{ran, "logs/damon.log"}, outcome{ran, "logs/damon.log"}},
	{"DAMON_CPU_LIMIT=much", outcome{code: ran}, outcome{1, "-"}},
	{"DAMON_CPU_LIMIT=-5", outcome{code: ran}, outcome{1, "-"}},
	{"DAMON_CPU_LIMIT=50", outcome{code: 1}, outcome{1, "-"}},
	{"DAMON_CPU_LIMIT=1000 DAMON_ENFORCE_CPU_LIMIT=n", outcome{code: ran}, outcome{code: ran}},
	{"DAMON_CPU_LIMIT=0 NOMAD_CPU_LIMIT=1000", outcome{code: ran}, outcome{code: ran}},
	{"NOMAD_CPU_LIMIT=1000", outcome{code: 1}, outcome{code: ran}}, // Wine refuses Damon's notification limits
	{"DAMON_MEMORY_LIMIT=64", outcome{code: ran}, outcome{code: ran}},
	{"DAMON_MEMORY_LIMIT=64MB", outcome{code: ran}, outcome{1, "-"}},
	{"DAMON_MEMORY_LIMIT=3", outcome{code: ran}, outcome{1, "-"}},
	{"NOMAD_MEMORY_LIMIT=64 DAMON_ENFORCE_MEMORY_LIMIT=perhaps", outcome{code: ran}, outcome{1, "-"}},
	{"NOMAD_MEMORY_LIMIT=64 NOMAD_MEMORY_MAX_LIMIT=-1", outcome{code: ran}, outcome{code: ran}},
	{"NOMAD_MEMORY_LIMIT=64 NOMAD_MEMORY_MAX_LIMIT=lots", outcome{code: ran}, outcome{1, "-"}},
	{"DAMON_RESTRICTED_TOKEN=y", outcome{code: ran}, outcome{code: ran}},
	{"DAMON_RESTRICTED_TOKEN=perhaps", outcome{code: ran}, outcome{1, "-"}},
	{"DAMON_ADDR=nonsense", outcome{code: ran}, outcome{1, "-"}},
	{"DAMON_ADDR=127.0.0.1:0 DAMON_METRICS_ENDPOINT=metrics", outcome{code: 2}, outcome{1, "-"}},
	{"NOMAD_ADDR_damon=127.0.0.1:0", outcome{code: ran}, outcome{code: ran}},
}

// Both programs run in the same environments. docs/coming-from.md has the results.
func TestSupervise_DamonVariables_AsDocumented(t *testing.T) {
	p := newPeer(t)
	for _, c := range beside {
		t.Run(c.env, func(t *testing.T) {
			if got := p.outcome(t, p.damon011, c.env); got != c.damon.filled() {
				t.Errorf("Damon: %+v, want %+v", got, c.damon.filled())
			}
			if got := p.outcome(t, p.damon, c.env); got != c.silo.filled() {
				t.Errorf("silo: %+v, want %+v", got, c.silo.filled())
			}
		})
	}
}

func (o outcome) filled() outcome {
	switch o.log {
	case "":
		o.log = "damon.log"
	case "-":
		o.log = ""
	}
	return o
}

// outcome runs the program under a supervisor.
func (p *peer) outcome(t *testing.T, supervisor, env string) outcome {
	t.Helper()
	dir := t.TempDir()
	all := []string{"DAMON_LOG_DIR=" + p.wine.WindowsPath(dir)}
	all = append(all, strings.Fields(strings.ReplaceAll(env, "@", p.wine.WindowsPath(dir)))...)
	r := p.try(t, supervisor, all, workload.Payload, "exit", "7")
	var logs []string
	for _, pattern := range []string{"*", "logs/*"} {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
				name, _ := filepath.Rel(dir, path) // path is below dir
				logs = append(logs, name)
			}
		}
	}
	slices.Sort(logs)
	t.Logf("%s: exit code %d, logs %v\n%s", filepath.Base(supervisor), r.code, logs, r.stderr)
	return outcome{r.code, strings.Join(logs, " ")}
}

// Each series of Damon has the same name and type with silo, so that dashboards continue to work.
func TestSupervise_DamonMetrics_AllExported(t *testing.T) {
	p := newPeer(t)
	series := regexp.MustCompile(`(?m)^# TYPE damon_\w+ \w+$`)
	found := map[string][]string{}
	for _, supervisor := range []string{p.damon011, p.damon} {
		address := freePort(t)
		cmd := p.command(t, supervisor, []string{"DAMON_ADDR=" + address, "DAMON_LOG_DIR=" + p.wine.WindowsPath(t.TempDir())}, workload.Payload, "cat")
		stdin, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		found[supervisor] = series.FindAllString(scrape(t, address, "damon_memory_working_set_bytes"), -1)
		if err := errors.Join(stdin.Close(), cmd.Wait()); err != nil { // the program ends with its input
			t.Error(err)
		}
	}
	if len(found[p.damon011]) < 20 {
		t.Fatalf("Damon exports %q", found[p.damon011])
	}
	var transfers []string
	for _, line := range found[p.damon011] {
		switch {
		case slices.Contains(found[p.damon], line):
		case strings.HasPrefix(line, "# TYPE damon_io_"):
			transfers = append(transfers, line)
		default:
			t.Errorf("silo does not export %q", line)
		}
	}
	switch len(transfers) {
	case 0:
	case 8:
		t.Skip("this host does not count a job's transfers, for which Damon exports zeros")
	default:
		t.Errorf("silo does not export %q", transfers)
	}
}

// The test reads the token of a task. Damon's is unrestricted on Wine, which ignores the flags and reports no error.
func TestSupervise_RestrictedToken_IsRestricted(t *testing.T) {
	s := newSilo(t)
	env := []string{"DAMON_RESTRICTED_TOKEN=y", "DAMON_LOG_DIR=" + s.wine.WindowsPath(t.TempDir())}
	r := s.try(t, s.damon, env, s.wine.WindowsPath(s.exe), "token")
	var token struct {
		Privileges []string
		DenyOnly   []string `json:"deny_only"`
	}
	if err := json.Unmarshal([]byte(r.stdout), &token); err != nil {
		t.Fatal(err, r)
	}
	if !slices.Equal(token.Privileges, []string{"SeChangeNotifyPrivilege"}) || !slices.Contains(token.DenyOnly, "S-1-5-32-544") {
		t.Errorf("the task's token: %+v", token)
	}
}
