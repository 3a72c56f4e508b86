package command_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
	"github.com/siloshim/siloshim/stats"
)

// record is that of a container whose supervisor is the test.
func record(id, log string) *node.Record {
	return &node.Record{Kind: node.Run, ID: id, Supervisor: 1, Log: log, Exit: &node.Exit{Code: 3, Reason: "exited"}}
}

func TestRunHandsOnArgumentsOutputAndCode(t *testing.T) {
	w := newWorld(t)
	w.Program("app.exe", func(p *jobtest.Proc) uint32 {
		fmt.Fprintf(p.Stdout, "%q %s", p.Args[1:], p.Dir)
		if !slices.Contains(p.Env, "A=1") || !slices.Contains(p.Env, "SECRET=hush") || !slices.Contains(p.Env, "B=2") {
			return 1
		}
		return 0xC0000005
	})
	file := filepath.Join(w.dir, "env")
	if err := os.WriteFile(file, []byte("# comment\n\nB=2\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	code := w.silo(t, "run", "-e", "A=1", "--env-file", file, "--", "app", "--memory", "two words", `q"`, "")
	if uint32(code) != 0xC0000005 || w.Stdout.String() != `["--memory" "two words" "q\"" ""] C:\work` {
		t.Errorf("%#x %s %s", code, &w.Stdout, &w.Stderr)
	}
	if w.OpenHandles() != 0 {
		t.Errorf("%d handles are left open", w.OpenHandles())
	}
}

// TestRun_LimitReached_ViolationsShown: silo run alone receives the messages, and silo stats, inspect and metrics show the
// count.
func TestRun_LimitReached_ViolationsShown(t *testing.T) {
	w := newWorld(t)
	counted := func() *stats.Violations {
		if r, err := w.app.Node.Records.Read("mine"); err == nil {
			return r.Violations
		}
		return nil
	}
	full, done := make(chan struct{}), make(chan struct{})
	w.Program("app.exe", func(p *jobtest.Proc) uint32 {
		if !p.Commit(64<<20) && !p.Commit(65<<20) {
			close(full)
		}
		<-done
		return 0
	})
	other := *w.app // whose output is its own
	other.Stdout, other.Stderr = &strings.Builder{}, &strings.Builder{}
	ended := make(chan int)
	go func() {
		ended <- other.Main(t.Context(), "silo.exe", []string{"run", "--name", "mine", "--memory", "32m", "--", "app"})
	}()
	<-full
	for v := counted(); v == nil || v.Memory < 2; v = counted() { // the test's own deadline bounds it
		runtime.Gosched()
	}
	for _, tt := range []struct{ args, want string }{
		{"stats mine -o json", `"violations": {
        "memory": 2,`},
		{"inspect mine", `"violations": {
        "memory": 2,`},
		{"metrics --once", `silo_container_limit_violations_memory_total{container="",container_id="mine",kind="run",namespace="silo",pod=""} 2`},
	} {
		if code := w.silo(t, strings.Fields(tt.args)...); code != 0 || !strings.Contains(w.Stdout.String(), tt.want) {
			t.Errorf("silo %s: %d %s, want %s in\n%s", tt.args, code, &w.Stderr, tt.want, &w.Stdout)
		}
	}
	close(done)
	if code := <-ended; code != 0 {
		t.Errorf("code %d", code)
	}
	if v := counted(); v == nil || *v != (stats.Violations{Memory: 2}) {
		t.Errorf("violations in the record = %+v, want 2 of memory", v)
	}
}

// TestStats_MadeByAnother_ViolationsUnknown: a job whose messages another process receives has no count, which is not 0.
func TestStats_MadeByAnother_ViolationsUnknown(t *testing.T) {
	w := newWorld(t)
	w.container(t, "default/web")
	for _, args := range []string{"stats web -o json", "inspect web", "metrics --once"} {
		code := w.silo(t, strings.Fields(args)...)
		if code != 0 || strings.Contains(w.Stdout.String(), `"violations": {
        "memory"`) || strings.Contains(w.Stdout.String(), "limit_violations") {
			t.Errorf("silo %s: %d, violations in\n%s", args, code, &w.Stdout)
		}
	}
	if w.silo(t, "stats", "web", "-o", "wide"); !strings.HasSuffix(strings.TrimSpace(w.Stdout.String()), " -") {
		t.Errorf("the table ends with a count:\n%s", &w.Stdout)
	}
}

func TestRunSetsLimitsAndWritesALog(t *testing.T) {
	w := newWorld(t)
	var inForce jobobject.Limits
	var seen *node.Record
	w.Program("app.exe", func(p *jobtest.Proc) uint32 {
		inForce, _ = w.Limits(`Global\silo/silo/mine`)
		fmt.Fprint(p.Stdout, "out")
		return 3
	})
	log := filepath.Join(w.dir, "logs", "a.log")
	code := w.silo(t, "run", "--name", "mine", "--memory", "512m", "--cpus", "2", "--log", log, "--", "app")
	if code != 3 || inForce.JobMemory != 512<<20 || inForce.CPURate != 2500 || !inForce.KillOnClose {
		t.Errorf("%d %+v %s", code, inForce, &w.Stderr)
	}
	if text, err := os.ReadFile(log); err != nil || string(text) != "out" || w.Stdout.String() != "out" {
		t.Errorf("log %q %v, terminal %q", text, err, &w.Stdout)
	}
	seen, err := w.app.Node.Records.Read("mine")
	if err != nil || seen.Exit == nil || seen.Exit.Code != 3 || seen.Program != `C:\bin\app.exe` {
		t.Errorf("record %+v %v", seen, err)
	}
	if code := w.silo(t, "wait", "mine"); code != 0 || w.Stdout.String() != "3\n" {
		t.Errorf("wait: %d %q %s", code, &w.Stdout, &w.Stderr)
	}
	if code := w.silo(t, "inspect", "silo/mine"); code != 0 || !strings.Contains(w.Stdout.String(), `"reason": "exited"`) {
		t.Errorf("inspect: %d %q %s", code, &w.Stdout, &w.Stderr)
	}
	if code := w.silo(t, "ps", "-a"); code != 0 || !strings.Contains(w.Stdout.String(), "exited (3)") {
		t.Errorf("ps -a: %d\n%s", code, &w.Stdout)
	}
	if code := w.silo(t, "cleanup", "--yes"); code != 0 || !strings.Contains(w.Stdout.String(), "record  mine") {
		t.Errorf("cleanup: %d\n%s%s", code, &w.Stdout, &w.Stderr)
	}
}

func TestLimitThatCannotBeApplied(t *testing.T) {
	w := newWorld(t)
	w.Program("app.exe", func(*jobtest.Proc) uint32 { return 0 })
	w.FailNth("SetLimits", 2, jobobject.ErrNotSupported) // the first makes the job end its members with the handle
	if code := w.silo(t, "run", "--memory", "64m", "--", "app"); code != 125 || w.Calls("CreateProcess") != 0 {
		t.Errorf("%d, %d programs started: %s", code, w.Calls("CreateProcess"), &w.Stderr)
	}
	if !strings.Contains(w.Stderr.String(), "--best-effort") {
		t.Errorf("the way out is not told: %s", &w.Stderr)
	}
}

func TestDamonByName(t *testing.T) {
	w := newWorld(t)
	w.Program("app.exe", func(*jobtest.Proc) uint32 { return 4 })
	log := filepath.Join(w.dir, "t.damon.log")
	w.app.Env = append(w.app.Env, "DAMON_LOG_DIR="+w.dir, "NOMAD_TASK_NAME=t", "DAMON_CPU_LIMIT=1024", "NOMAD_MEMORY_LIMIT=64")
	if code := w.app.Main(t.Context(), `C:\tools\Damon.EXE`, []string{"app", "--secret", "hush"}); code != 4 {
		t.Fatalf("%d %s", code, &w.Stderr)
	}
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	var messages []string
	for line := range strings.Lines(string(text)) {
		var m struct{ Message string }
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		messages = append(messages, m.Message)
	}
	if want := []string{"damon starting", "process exited: 4", "damon exiting"}; !slices.Equal(messages, want) {
		t.Errorf("messages %q, want %q", messages, want)
	}
	if strings.Contains(string(text), "hush") {
		t.Error("an argument is in the log")
	}
	w.app.Env = append(w.app.Env, "DAMON_MEMORY_LIMIT=lots")
	w.ResetCalls()
	w.app.Env = slices.DeleteFunc(w.app.Env, func(e string) bool { return strings.HasPrefix(e, "NOMAD_MEMORY") })
	if code := w.app.Main(t.Context(), "damon.exe", []string{"app"}); code != 1 || w.Calls("CreateProcess") != 0 {
		t.Errorf("a bad variable: %d, %d programs started", code, w.Calls("CreateProcess"))
	}
}

func TestInspect_Format_HasDockersNames(t *testing.T) {
	w := newWorld(t)
	w.Program("app.exe", func(*jobtest.Proc) uint32 { return 7 })
	if code := w.silo(t, "run", "--name", "web", "--", "app"); code != 7 {
		t.Fatalf("%d %s", code, &w.Stderr)
	}
	code := w.silo(t, "inspect", "--format", "{{.Name}} {{.State.Status}} {{.State.Running}} {{.State.ExitCode}} {{.record.exit.code}}", "web")
	if got := w.Stdout.String(); code != 0 || got != "silo/web exited false 7 7\n" {
		t.Errorf("%d %q %s", code, got, &w.Stderr)
	}
}
