package command_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// place makes a process in no job, or in the job of that name.
func (w *world) place(t *testing.T, job, image string) *jobtest.Proc {
	t.Helper()
	p, err := w.Place(job, image, 4)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func pid(p *jobtest.Proc) string { return fmt.Sprint(p.Pid()) }

// unlimited fails unless the processes run without the limit of 64 MiB that the tests below attach them with.
func unlimited(t *testing.T, w *world, list ...*jobtest.Proc) {
	t.Helper()
	for _, p := range list {
		select {
		case <-p.Done():
			t.Errorf("process %d was ended", p.Pid())
		default:
			if !p.Commit(65 << 20) {
				t.Errorf("process %d has the limit", p.Pid())
			}
		}
	}
	if w.OpenHandles() != 0 {
		t.Errorf("%d handles are left open", w.OpenHandles())
	}
	if all, err := w.app.Node.Records.All(); err != nil || len(all) != 0 {
		t.Errorf("records %v, %v; want none", all, err)
	}
}

func TestAttach_Leave_LimitsHold(t *testing.T) {
	w := newWorld(t)
	p := w.place(t, "", "app.exe")
	if code := w.silo(t, "attach", "--name", "mine", "--leave", "--memory", "64m", pid(p)); code != 0 {
		t.Fatalf("%d %s", code, &w.Stderr)
	}
	if p.Commit(65 << 20) {
		t.Error("the limit does not hold")
	}
}

// Each of these is refused before a process is in the job.
func TestAttach_OneRefused_NothingChanges(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(t *testing.T, w *world, good *jobtest.Proc) []string // returns further arguments
		want    string
	}{
		"a pid that is not in use": {func(*testing.T, *world, *jobtest.Proc) []string { return []string{"99999"} },
			"attach process 99999: no such process"},
		"the same pid twice": {func(_ *testing.T, _ *world, good *jobtest.Proc) []string { return []string{pid(good)} },
			"name it once"},
		"silo itself": {func(*testing.T, *world, *jobtest.Proc) []string { return []string{fmt.Sprint(os.Getpid())} },
			"this is silo itself"},
		"a protected process": {func(t *testing.T, w *world, _ *jobtest.Proc) []string {
			p := w.place(t, "", "lsass.exe")
			p.Protect()
			return []string{pid(p)}
		}, "run silo as administrator"},
		"one that has ended": {func(t *testing.T, w *world, _ *jobtest.Proc) []string {
			p := w.place(t, "", "old.exe")
			h, err := w.OpenProcess(p.Pid(), jobobject.ProcessQueryLimited)
			if err != nil {
				t.Fatal(err)
			}
			p.Exit(0)
			t.Cleanup(func() { _ = w.CloseHandle(h) })
			return []string{pid(p)}
		}, "it has ended"},
		"no such image": {func(*testing.T, *world, *jobtest.Proc) []string { return []string{"missing.exe"} },
			`attach "missing.exe": no process has an image of this name`},
		"a path":         {func(*testing.T, *world, *jobtest.Proc) []string { return []string{`C:\bin\app.exe`} }, "the name of an image such as app.exe"},
		"pid 0":          {func(*testing.T, *world, *jobtest.Proc) []string { return []string{"0"} }, `attach "0": neither a process id`},
		"a negative pid": {func(*testing.T, *world, *jobtest.Proc) []string { return []string{"--", "-4"} }, `attach "-4": neither a process id`},
		"too few processes allowed": {func(t *testing.T, w *world, _ *jobtest.Proc) []string {
			return []string{pid(w.place(t, "", "b.exe")), "--max-processes", "1"}
		}, "--max-processes 1 is less than the 2 processes"},
		"one in a job and one not": {func(t *testing.T, w *world, _ *jobtest.Proc) []string {
			_, p := w.container(t, "default/web")
			return []string{pid(p)}
		}, "attach them with a command each"},
		"a limit that the host refuses": {func(_ *testing.T, w *world, _ *jobtest.Proc) []string {
			w.Fail("SetLimits "+jobobject.NetLimits.String(), -1, jobobject.ErrNotSupported)
			return []string{"--net-rate", "1mbit"}
		}, "--best-effort makes this a warning"},
		"records that cannot be written": {func(t *testing.T, w *world, _ *jobtest.Proc) []string {
			w.app.Node.Records.Dir = filepath.Join(w.file(t, "a-file", ""), "below")
			return nil
		}, "no process was attached"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			good := w.place(t, "", "app.exe")
			args := append([]string{"attach", "--memory", "64m", pid(good)}, c.prepare(t, w, good)...)
			open := w.OpenHandles()
			if code := w.silo(t, args...); code != 125 || !strings.Contains(w.Stderr.String(), c.want) {
				t.Errorf("exit %d: %s, want %q", code, &w.Stderr, c.want)
			}
			if n := w.Calls("AssignProcess"); n != 0 {
				t.Errorf("%d processes were assigned", n)
			}
			if !good.Commit(65<<20) || w.OpenHandles() != open {
				t.Errorf("the good process has the limit, or handles are left open: %d, were %d", w.OpenHandles(), open)
			}
		})
	}
}

func TestAttach_NestedWithUserInterfaceLimits_Refused(t *testing.T) {
	w := newWorld(t)
	_, p := w.container(t, "default/web")
	if code := w.silo(t, "attach", "--ui", "all", pid(p)); code != 125 || !strings.Contains(w.Stderr.String(), "leave --ui out") || w.Calls("AssignProcess") != 0 {
		t.Errorf("exit %d: %s", code, &w.Stderr)
	}
}

// The second process cannot be assigned after all: the first one is in a job by then, which has no limits.
func TestAttach_AssignFails_FirstRunsAsBefore(t *testing.T) {
	w := newWorld(t)
	first, second := w.place(t, "", "a.exe"), w.place(t, "", "b.exe")
	w.FailNth("AssignProcess", 2, jobobject.ErrPermission)
	code := w.silo(t, "attach", "--memory", "64m", "--kill-on-exit", pid(first), pid(second))
	if want := fmt.Sprintf("attach process %d", second.Pid()); code != 125 || !strings.Contains(w.Stderr.String(), want) {
		t.Errorf("exit %d: %s, want %q", code, &w.Stderr, want)
	}
	unlimited(t, w, first, second)
}

// The kernel refuses one limit for these processes, although it took it for an empty job.
func TestAttach_LimitFailsWithMembers_OthersAreLifted(t *testing.T) {
	w := newWorld(t)
	p := w.place(t, "", "a.exe")
	w.FailNth("SetLimits "+jobobject.CPULimits.String(), 2, errors.New("not with members"))
	code := w.silo(t, "attach", "--memory", "64m", "--cpus", "2", "--kill-on-exit", pid(p))
	if code != 125 || !strings.Contains(w.Stderr.String(), "not with members") {
		t.Errorf("exit %d: %s", code, &w.Stderr)
	}
	unlimited(t, w, p)
}

func TestAttach_ImageName_AllOfIt(t *testing.T) {
	w := newWorld(t)
	one, two, other := w.place(t, "", `C:\bin\App.exe`), w.place(t, "", "app.EXE"), w.place(t, "", "app2.exe")
	if code := w.silo(t, "attach", "--leave", "-m", "64m", "app", pid(one)); code != 125 || !strings.Contains(w.Stderr.String(), "as app; name it once") {
		t.Errorf("exit %d: %s", code, &w.Stderr)
	}
	if code := w.silo(t, "attach", "--leave", "-m", "64m", pid(one), "app.exe"); code != 0 {
		t.Fatalf("exit %d: %s", code, &w.Stderr)
	}
	if one.Commit(65<<20) || two.Commit(65<<20) || !other.Commit(65<<20) {
		t.Error("want the limit for the two of that name alone")
	}
}

func TestAttach_KillOnExit_EndsWithSilo(t *testing.T) {
	w := newWorld(t)
	p := w.place(t, "", "a.exe")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan int)
	go func() {
		ended <- w.app.Main(ctx, "silo.exe", []string{"attach", "--name", "mine", "--kill-on-exit", "-m", "64m", pid(p)})
	}()
	running := func() bool {
		r, err := w.app.Node.Records.Read("mine")
		return err == nil && r.Status == node.Running
	}
	for !running() { // the test's own deadline bounds it
		runtime.Gosched()
	}
	if l, ok := w.Limits(`Global\silo/silo/mine`); !ok || !l.KillOnClose || l.JobMemory != 64<<20 {
		t.Errorf("limits %+v, want memory and the end with silo", l)
	}
	cancel()
	if code := <-ended; code != 0 {
		t.Errorf("exit %d: %s", code, &w.Stderr)
	}
	<-p.Done()
}
