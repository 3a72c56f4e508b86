package command_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// background runs a command line that prints elsewhere, and returns its exit code and its error output.
func (w *world) background(t *testing.T, args ...string) (code <-chan int, stderr *strings.Builder) {
	t.Helper()
	other := *w.app
	stderr = new(strings.Builder)
	other.Stdout, other.Stderr = new(strings.Builder), stderr
	ended := make(chan int, 1)
	ctx := t.Context()
	go func() { ended <- other.Main(ctx, "silo.exe", args) }()
	return ended, stderr
}

// await polls the record of a container. The deadline of the test bounds it.
func (w *world) await(t *testing.T, name string, ok func(*node.Record) bool) *node.Record {
	t.Helper()
	for t.Context().Err() == nil {
		if r, err := w.app.Node.Records.Read(name); err == nil && ok(r) {
			return r
		}
		runtime.Gosched()
	}
	return nil
}

// detached runs the supervisor of a detached container, as silo run --detach starts it.
func (w *world) detached(t *testing.T, name string, args ...string) int {
	t.Helper()
	return w.silo(t, append([]string{"run", "--detached=" + name, "--detach", "--name", name}, args...)...)
}

// output is the output of a detached container.
func (w *world) output(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(w.app.Node.Records.Path(name), "output.log"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return string(text)
}

func TestRun_StateUnwritable_StartsNothing(t *testing.T) {
	w := newWorld(t)
	w.Program("app.exe", func(*jobtest.Proc) uint32 { t.Error("the program was started"); return 0 })
	file := filepath.Join(w.dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	w.app.Node.Records.Dir = filepath.Join(file, "state")
	if code := w.detached(t, "mine", "--", "app"); code != 125 || !strings.HasPrefix(w.Stderr.String(), "silo: nothing was started") {
		t.Errorf("%d %s, want 125 and no start", code, &w.Stderr)
	}
}

// TestRun_CrashLoop_RecordHasStateOfEachStep: the record is written before the start, and says running, restarting with the
// latest exit and the count, and exited.
func TestRun_CrashLoop_RecordHasStateOfEachStep(t *testing.T) {
	w := newWorld(t)
	var starts atomic.Int32
	w.Program("app.exe", func(*jobtest.Proc) uint32 {
		first := starts.Add(1) == 1
		r, err := w.app.Node.Records.Read("mine")
		if err != nil || r.Exit != nil || first != (r.LastExit == nil) {
			t.Errorf("record at a start: %+v %v", r, err)
		}
		w.await(t, "mine", func(r *node.Record) bool { return r.Status == node.Running })
		return 3
	})
	ended, stderr := w.background(t, "run", "--name", "mine", "--restart", "always", "--", "app")
	r := w.await(t, "mine", func(r *node.Record) bool { return r.Status == node.Restarting && r.Restarts > 1 })
	if r.LastExit == nil || r.LastExit.Code != 3 || r.LastExit.Reason != "exited" || r.Exit != nil {
		t.Errorf("record in a pause: %+v", r)
	}
	if code := w.silo(t, "stop", "mine"); code != 0 {
		t.Errorf("stop: %d %s", code, &w.Stderr)
	}
	code := <-ended
	if code != 3 && uint32(code) != jobtest.StatusControlCExit { // a stop that comes after the pause ends the next run
		t.Errorf("exit code %d, want 3: %s", code, stderr)
	}
	if r, err := w.app.Node.Records.Read("mine"); err != nil || r.Status != node.Ended || r.Exit == nil || int(r.Exit.Code) != code || r.Restarts < 2 {
		t.Errorf("record at the end: %+v %v", r, err)
	}
}

// TestRun_RestartFails_RecordAndLogStay: the program disappears after its first run.
func TestRun_RestartFails_RecordAndLogStay(t *testing.T) {
	w := newWorld(t)
	w.Program("app.exe", func(p *jobtest.Proc) uint32 {
		fmt.Fprint(p.Stdout, "before")
		w.Fail("CreateProcess", -1, jobobject.ErrNotExist)
		return 1
	})
	if code := w.detached(t, "mine", "--restart", "on-failure:2", "--", "app"); code != 127 || w.Calls("CreateProcess") != 3 {
		t.Errorf("%d after %d starts, want 127 after 3: %s", code, w.Calls("CreateProcess"), &w.Stderr)
	}
	r, err := w.app.Node.Records.Read("mine")
	if err != nil || r.Exit == nil || r.Exit.Code != 127 || r.Exit.Reason != "not started" || r.Restarts != 2 {
		t.Errorf("record %+v %v, want its exit", r, err)
	}
	if got := w.output(t, "mine"); got != "before" {
		t.Errorf("output %q, want before", got)
	}
}

func TestRun_FirstStartFails_ExitCodeAndRecord(t *testing.T) {
	w := newWorld(t)
	w.Fail("CreateProcess", -1, jobobject.ErrPermission)
	if code := w.silo(t, "run", "--name", "mine", "--", "app"); code != 126 {
		t.Errorf("%d, want 126: %s", code, &w.Stderr)
	}
	if r, err := w.app.Node.Records.Read("mine"); err != nil || r.Exit == nil || r.Exit.Code != 126 {
		t.Errorf("record %+v %v, want exit code 126", r, err)
	}
	if code := w.silo(t, "run", "--", "app"); code != 126 {
		t.Errorf("%d, want 126: %s", code, &w.Stderr)
	}
	if entries, err := os.ReadDir(w.app.Node.Records.Dir); err != nil || len(entries) != 1 {
		t.Errorf("%v %v, want no record of the unnamed run", entries, err)
	}
}

// TestRun_FirstStartFailsWithPolicy_IsReportedAndTriedAgain: silo run --detach prints the lines before the last one.
func TestRun_FirstStartFailsWithPolicy_IsReportedAndTriedAgain(t *testing.T) {
	w := newWorld(t)
	w.Program("app.exe", func(*jobtest.Proc) uint32 { return 0 })
	w.FailNth("CreateProcess", 1, jobobject.ErrPermission)
	code := w.detached(t, "mine", "--restart", "on-failure", "--", "app")
	failure, after, reported := strings.Cut(w.Stderr.String(), "silo: started mine\n")
	if code != 0 || !reported || after != "" || !strings.Contains(failure, "mine was not started") || !strings.Contains(failure, "the next start is in 100ms") {
		t.Errorf("%d %q, want the failure and a later start", code, w.Stderr.String())
	}
	if r, err := w.app.Node.Records.Read("mine"); err != nil || r.Restarts != 1 || r.LastExit == nil || r.LastExit.Code != 126 || r.LastExit.Error == "" {
		t.Errorf("record %+v %v, want one restart after a failed start", r, err)
	}
}

func TestRun_NewRunOfOldName_BeginsNewLog(t *testing.T) {
	w := newWorld(t)
	run := 0
	w.Program("app.exe", func(p *jobtest.Proc) uint32 {
		run++
		fmt.Fprintf(p.Stdout, "run %d\n", run)
		return 0
	})
	rotated := filepath.Join(w.app.Node.Records.Path("mine"), "output-2020-01-02T03-04-05.000.log")
	for n := 1; n <= 2; n++ {
		if code := w.detached(t, "mine", "--", "app"); code != 0 {
			t.Fatal(code, w.Stderr.String())
		}
		if got, want := w.output(t, "mine"), fmt.Sprintf("run %d\n", n); got != want {
			t.Errorf("output %q, want %q", got, want)
		}
		if _, err := os.Stat(rotated); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("a rotated log of the earlier run: %v, want none", err)
		}
		if err := os.WriteFile(rotated, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if code := w.detached(t, "mine", "--keep-log", "--", "app"); code != 0 || w.output(t, "mine") != "run 2\nrun 3\n" {
		t.Errorf("--keep-log: %d %q, want both runs", code, w.output(t, "mine"))
	}
	named := filepath.Join(w.dir, "named.log")
	for range 2 {
		if code := w.detached(t, "mine", "--log", named, "--", "app"); code != 0 {
			t.Fatal(code, w.Stderr.String())
		}
	}
	if text, err := os.ReadFile(named); err != nil || string(text) != "run 4\nrun 5\n" {
		t.Errorf("--log: %q %v, want both runs", text, err)
	}
}

func TestRun_DetachedUnnamed_KeepsRecordAndLog(t *testing.T) {
	w := newWorld(t)
	w.Program("app.exe", func(p *jobtest.Proc) uint32 { fmt.Fprint(p.Stdout, "out"); return 0 })
	if code := w.silo(t, "run", "--detached=run-7", "--detach", "--", "app"); code != 0 || w.output(t, "run-7") != "out" {
		t.Errorf("%d %q, want the output under the name that the caller has printed: %s", code, w.output(t, "run-7"), &w.Stderr)
	}
}

func TestRun_Rm_RecordAndLogRemoved(t *testing.T) {
	w := newWorld(t)
	w.Program("app.exe", func(p *jobtest.Proc) uint32 { fmt.Fprint(p.Stdout, "out"); return 4 })
	if code := w.detached(t, "mine", "--rm", "--", "app"); code != 4 {
		t.Errorf("%d, want 4: %s", code, &w.Stderr)
	}
	if _, err := os.Stat(w.app.Node.Records.Path("mine")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory of the container: %v, want none", err)
	}
}

// TestRun_DetachVariable_IsNotTrusted: the variable that marked a supervisor in the past has no meaning, and the program
// gets none from silo.
func TestRun_DetachVariable_IsNotTrusted(t *testing.T) {
	w := newWorld(t)
	w.app.Env = append(w.app.Env, "SILO_DETACHED=mine")
	w.app.Self = filepath.Join(w.dir, "missing.exe")
	if code := w.silo(t, "run", "--detach", "--", "app"); code != 125 || !strings.Contains(w.Stderr.String(), "start the supervisor") {
		t.Errorf("%d %s, want an attempt to start the supervisor", code, &w.Stderr)
	}
	w.app.Env = w.app.Env[:len(w.app.Env)-1]
	w.Program("app.exe", func(p *jobtest.Proc) uint32 {
		if slices.ContainsFunc(p.Env, func(e string) bool { return strings.HasPrefix(e, "SILO_") }) {
			return 1
		}
		return 0
	})
	if code := w.detached(t, "mine", "--", "app"); code != 0 {
		t.Errorf("%d, want no variable of silo in the environment of the program: %s", code, &w.Stderr)
	}
}
