package command_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// living are the containers of stated that have not ended.
var living = []string{"begins", "runs", "crashes", "box"}

// stated is a machine with a container in each state.
type stated struct {
	*world
	supervisor *jobtest.Proc // of those that live
}

func newStated(t *testing.T) *stated {
	t.Helper()
	s := &stated{world: newWorld(t)}
	var err error
	if s.supervisor, err = s.Place("", "silo.exe", 4); err != nil {
		t.Fatal(err)
	}
	gone, err := s.Place("", "silo.exe", 4)
	if err != nil {
		t.Fatal(err)
	}
	alive, began := s.supervisor.Pid(), s.Now()
	for _, name := range []string{node.JobName(node.Own, "runs"), node.JobName(node.Own, "crashes"), `\Container_box`} {
		job, err := jobobject.Create(jobobject.Options{Name: name, Kernel: s.Kernel})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = job.Close() })
	}
	for _, job := range []string{node.JobName(node.Own, "runs"), `\Container_box`} {
		if _, err := s.Place(job, "app.exe", alive); err != nil {
			t.Fatal(err)
		}
	}
	s.app.Node.Names = func() ([]string, error) {
		return []string{`\BaseNamedObjects\silo/silo/runs`, `\BaseNamedObjects\silo/silo/crashes`, `\Container_box`}, nil
	}
	crash := &node.Exit{Code: 0xC0000005, Reason: "exited", At: began.Add(30 * time.Second)}
	for _, r := range []*node.Record{
		{ID: "begins", Supervisor: alive, Status: node.Starting},
		{ID: "runs", Supervisor: alive, Status: node.Running, Program: `C:\bin\app.exe`},
		{ID: "crashes", Supervisor: alive, Status: node.Restarting, Restarts: 4, LastExit: crash},
		{ID: "box", Kind: node.Server, System: "box", Supervisor: alive, Status: node.Running},
		{ID: "exits", Supervisor: gone.Pid(), Status: node.Ended, Exit: &node.Exit{Code: 3, Reason: "exited", At: began}},
		{ID: "killed", Supervisor: gone.Pid(), Status: node.Ended, Exit: &node.Exit{Code: 137, Reason: "exited", At: began}},
		{ID: "lost", Supervisor: gone.Pid(), Status: node.Running, Restarts: 1},
		{ID: "broken"}, {ID: "newer"},
	} {
		if r.Kind == "" {
			r.Kind = node.Run
		}
		r.Started, r.Log = began, filepath.Join(s.app.Node.Records.Path(r.ID), "output.log")
		if err := errors.Join(s.app.Node.Records.Write(r), os.WriteFile(r.Log, []byte("output of "+r.ID+"\n"), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	for id, text := range map[string]string{"broken": `{"id": "bro`, "newer": `{"version": 2, "id": "newer"}`} {
		if err := os.WriteFile(filepath.Join(s.app.Node.Records.Path(id), "container.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	gone.Exit(0)
	s.Advance(time.Minute)
	return s
}

// TestStates_EachVerb_Agrees writes down what each verb answers for a container in each state.
func TestStates_EachVerb_Agrees(t *testing.T) {
	s := newStated(t)
	var all strings.Builder
	answer := func(args ...string) int {
		code := s.silo(t, args...)
		text := s.Stdout.String() + s.Stderr.String()
		text = strings.ReplaceAll(strings.ReplaceAll(text, s.app.Node.Records.Dir, "STATE"), `\`, "/")
		fmt.Fprintf(&all, "$ silo %s\n%s[%d]\n\n", strings.Join(args, " "), text, code)
		return code
	}
	answer("ps")
	answer("ps", "-a", "-o", "wide")
	answer("ps", "-q")
	answer("ps", "-q", "--filter", "status=exited", "--filter", "status=lost")
	answer("ps", "-q", "--filter", "status=killed", "--filter", "name=KILL", "--filter", "kind=run")
	answer("ps", "-qn", "3")
	answer("ps", "-a", "--format", `table {{.Name}}\t{{.State}}\t{{.ExitCode}}\t{{.Restarts}}\t{{.RunningFor}}`)
	answer("metrics", "--once")
	lines := slices.DeleteFunc(strings.SplitAfter(all.String(), "\n"), func(line string) bool {
		return strings.HasPrefix(line, "#") || strings.HasPrefix(line, "silo_") && !strings.Contains(line, "_status{") &&
			!strings.Contains(line, "_restarts_total{") && !strings.Contains(line, "_last_exit_") && !strings.HasPrefix(line, "silo_containers ")
	})
	all.Reset()
	all.WriteString(strings.Join(lines, ""))
	for _, id := range []string{"begins", "runs", "crashes", "box", "exits", "killed", "lost", "broken", "newer"} {
		answer("inspect", "-f", "{{.status}} {{.kind}} {{.job}}{{with .exit_meaning}}: {{.}}{{end}}", id)
		answer("logs", id)
		if !slices.Contains(living, id) {
			answer("wait", id)
		}
		answer("start", id)
		if answer("rename", id, id+"-old") == 0 {
			id += "-old"
		}
		answer("rm", id)
	}
	answer("ps", "-aq")
	golden(t, "states.golden", all.String())
	for _, id := range living {
		if _, err := os.Stat(filepath.Join(s.app.Node.Records.Path(id), "output.log")); err != nil {
			t.Errorf("the output of a living container: %v", err)
		}
	}
}

func TestWait_SupervisorEnds_ExitCode(t *testing.T) {
	for _, id := range living {
		t.Run(id, func(t *testing.T) {
			s := newStated(t)
			done := make(chan int)
			go func() { done <- s.silo(t, "wait", "exits", "missing", id) }()
			for s.Calls("WatchExit") == 0 { // the test's own deadline bounds it
				select {
				case code := <-done:
					t.Fatalf("wait ended with %d before the container: %s%s", code, &s.Stdout, &s.Stderr)
				default:
				}
			}
			r, err := s.app.Node.Records.Read(id)
			if err != nil {
				t.Fatal(err)
			}
			r.Exit = &node.Exit{Code: 9, Reason: "exited"}
			if err := s.app.Node.Records.Write(r); err != nil {
				t.Fatal(err)
			}
			s.supervisor.Exit(0)
			// The name without a container does not keep wait from the others.
			if code := <-done; code != 1 || s.Stdout.String() != "3\n9\n" || !strings.Contains(s.Stderr.String(), "find container missing") {
				t.Errorf("exit code %d: %q %q", code, &s.Stdout, &s.Stderr)
			}
		})
	}
}

func TestCleanup_EachState_LivingIsKept(t *testing.T) {
	s := newStated(t)
	if code := s.silo(t, "cleanup", "--yes", "-o", "json"); code != 0 {
		t.Errorf("exit code %d: %s", code, &s.Stderr)
	}
	for _, id := range []string{"exits", "killed", "lost", "broken", "newer"} {
		if !strings.Contains(s.Stdout.String(), `"name": "`+id+`"`) {
			t.Errorf("%s is not reported as removed:\n%s", id, &s.Stdout)
		}
		if _, err := os.Stat(s.app.Node.Records.Path(id)); err == nil {
			t.Errorf("%s is left", id)
		}
	}
	for _, id := range living {
		if _, err := os.Stat(filepath.Join(s.app.Node.Records.Path(id), "output.log")); err != nil {
			t.Errorf("the output of a living container: %v", err)
		}
	}
}

// TestCleanup_LostServerRun_IsRemoved: the job of its system may exist longer than its supervisor.
func TestCleanup_LostServerRun_IsRemoved(t *testing.T) {
	s := newStated(t)
	r, err := s.app.Node.Records.Read("box")
	if err != nil {
		t.Fatal(err)
	}
	s.supervisor.Exit(1)
	if code := s.silo(t, "cleanup", "--yes"); code != 0 || !strings.Contains(s.Stdout.String(), "box") {
		t.Errorf("%d %s%s", code, &s.Stdout, &s.Stderr)
	}
	if _, err := os.Stat(r.Log); err == nil {
		t.Error("the record is left")
	}
}

// A record that was written under another case of the name is that of the living container.
func TestCleanup_NameInAnotherCase_LogIsKept(t *testing.T) {
	s := newStated(t)
	r, err := s.app.Node.Records.Read("runs")
	if err != nil {
		t.Fatal(err)
	}
	r.ID = "RUNS"
	if err := s.app.Node.Records.Write(r); err != nil {
		t.Fatal(err)
	}
	if code := s.silo(t, "ps", "-aq", "--filter", "name=runs"); code != 0 || s.Stdout.String() != "silo/RUNS\n" {
		t.Errorf("%d, listed %q, want one container with the name that was given", code, &s.Stdout)
	}
	if code := s.silo(t, "cleanup", "--yes"); code != 0 {
		t.Errorf("exit code %d: %s", code, &s.Stderr)
	}
	if _, err := os.Stat(r.Log); err != nil {
		t.Errorf("the output of a living container: %v", err)
	}
}

func TestRun_NameInAnotherCase_IsInUse(t *testing.T) {
	w := newWorld(t)
	started, end := make(chan struct{}), make(chan struct{})
	w.Program("app.exe", func(*jobtest.Proc) uint32 { close(started); <-end; return 0 })
	done := make(chan int)
	other := *w.app // prints elsewhere
	other.Stdout, other.Stderr = &strings.Builder{}, &strings.Builder{}
	go func() { done <- other.Main(t.Context(), "silo", []string{"run", "--name", "Mine", "--", "app"}) }()
	<-started
	for _, err := w.app.Node.Records.Read("mine"); err != nil; _, err = w.app.Node.Records.Read("mine") { // the test's own deadline bounds it
		runtime.Gosched()
	}
	if code := w.silo(t, "run", "--name", "mINE", "--", "app"); code != 125 || !strings.Contains(w.Stderr.String(), "its name is in use") {
		t.Errorf("a second one of that name: %d %s", code, &w.Stderr)
	}
	if code := w.silo(t, "inspect", "-f", "{{.id}}", "MINE"); code != 0 || w.Stdout.String() != "Mine\n" {
		t.Errorf("inspect: %d %q %s", code, &w.Stdout, &w.Stderr)
	}
	close(end)
	if code := <-done; code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestRun_CommandLine_IsStored(t *testing.T) {
	w := newWorld(t)
	w.Program("app.exe", func(*jobtest.Proc) uint32 { return 0 })
	if code := w.silo(t, "-o", "wide", "run", "--name", "Mine", "-e", "A=1", "--", "app", "run", "two words"); code != 0 {
		t.Fatalf("%d %s", code, &w.Stderr)
	}
	want := &node.Launch{Args: []string{"-o", "wide", "--name", "Mine", "-e", "A=1", "--", "app", "run", "two words"}, Dir: `C:\work`, Env: w.app.Env}
	got, err := w.app.Node.Records.ReadLaunch("mine")
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// A foreground run without a name is gone with its end: nothing can start it again.
func TestRun_Unnamed_CommandLineIsNotStored(t *testing.T) {
	w := newWorld(t)
	var files []string
	w.Program("app.exe", func(*jobtest.Proc) uint32 {
		files, _ = filepath.Glob(filepath.Join(w.app.Node.Records.Dir, "*", "*")) // the pattern is valid
		return 0
	})
	if code := w.silo(t, "run", "--", "app", "secret"); code != 0 {
		t.Fatalf("%d %s", code, &w.Stderr)
	}
	for _, path := range files {
		if !strings.HasPrefix(filepath.Base(path), "container.json") { // the record is being replaced
			t.Errorf("while it runs there is %s", path)
		}
	}
	if len(files) == 0 {
		t.Error("while it runs there is no record")
	}
}

func TestPs_LongID_IsShortenedAndFound(t *testing.T) {
	w := newWorld(t)
	id := strings.Repeat("0123456789abcdef", 4)
	w.app.Node.Names = func() ([]string, error) { return []string{`\BaseNamedObjects\silo/k8s.io/` + id}, nil }
	w.container(t, "k8s.io/"+id)
	for args, want := range map[string]string{
		"ps -q": "k8s.io/0123456789ab\n", "ps -q --no-trunc": "k8s.io/" + id + "\n", "inspect -f {{.id}} 0123456789ab": id + "\n",
		"inspect -f {{.id}} k8s.io/0123456789ab": id + "\n", "ps --format {{.ID}}": "0123456789ab\n",
	} {
		if code := w.silo(t, strings.Fields(args)...); code != 0 || w.Stdout.String() != want {
			t.Errorf("silo %s: %d %q %s, want %q", args, code, &w.Stdout, &w.Stderr, want)
		}
	}
	if w.silo(t, "ps", "-o", "json"); !strings.Contains(w.Stdout.String(), `"name": "k8s.io/`+id+`"`) {
		t.Errorf("JSON has a short id:\n%s", &w.Stdout)
	}
}
