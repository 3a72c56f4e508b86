package command_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// listener is a program that reports its events and ends at Ctrl+Shutdown only.
func listener(ready chan<- struct{}, events chan<- jobobject.ConsoleEvent) func(*jobtest.Proc) uint32 {
	return func(p *jobtest.Proc) uint32 {
		heard := p.Events()
		close(ready)
		for {
			select {
			case e := <-heard:
				events <- e
				if e == jobobject.CtrlShutdown {
					return 6
				}
			case <-p.Done():
				return 0
			}
		}
	}
}

// TestStop_OfRun_UsesGivenSignalsAndGrace: silo run has other signals, which the program ignores, and a grace period of an
// hour.
func TestStop_OfRun_UsesGivenSignalsAndGrace(t *testing.T) {
	for args, want := range map[string]int{
		"-s ctrl-shutdown": 6, "--timeout 3600 -s SIGTERM": 6, "-t 0": 137, "--time 0 -s ctrl-close": 137, "--grace 1ms": 137,
	} {
		t.Run(args, func(t *testing.T) {
			w := newWorld(t)
			ready, events := make(chan struct{}), make(chan jobobject.ConsoleEvent, 4)
			w.Program("app.exe", listener(ready, events))
			ended, stderr := w.background(t, "run", "--name", "mine", "--stop-grace", "1h", "--", "app")
			<-ready
			w.await(t, "mine", func(r *node.Record) bool { return r.Status == node.Running })
			if code := w.silo(t, append([]string{"stop", "mine"}, strings.Fields(args)...)...); code != 0 {
				t.Errorf("stop: %d %s", code, &w.Stderr)
			}
			if code := <-ended; code != want {
				t.Errorf("exit code %d, want %d: %s", code, want, stderr)
			}
			if want == 6 && (len(events) != 1 || <-events != jobobject.CtrlShutdown) {
				t.Error("the program has received another event than that of --signal")
			}
		})
	}
}

func TestStop_ManyNames_OthersAreStopped(t *testing.T) {
	w := newWorld(t)
	if err := w.app.Node.Records.Write(record("ended", "")); err != nil {
		t.Fatal(err)
	}
	job, _ := w.container(t, "default/web")
	if code := w.silo(t, "stop", "missing", "ended", "web", "absent"); code != 1 || w.Stdout.String() != "silo/ended\ndefault/web\n" {
		t.Errorf("%d %q, want 1 and those that are stopped", code, &w.Stdout)
	}
	if got := w.Stderr.String(); strings.Count(got, "\n") != 2 || !strings.Contains(got, "missing") || !strings.Contains(got, "absent") {
		t.Errorf("errors %q, want a line each", got)
	}
	if a, err := job.Accounting(); err != nil || a.Active != 0 {
		t.Errorf("%+v %v, want none left", a, err)
	}
	if code := w.silo(t, "kill", "ended"); code != 1 || !strings.Contains(w.Stderr.String(), "not running") {
		t.Errorf("kill of an ended container: %d %s", code, &w.Stderr)
	}
}

// TestKill_SignalRefusedByOne_IsError: a console host gets no event and is none of them.
func TestKill_SignalRefusedByOne_IsError(t *testing.T) {
	w := newWorld(t)
	_, first := w.container(t, "default/web")
	for _, image := range []string{"conhost.exe", "other.exe"} {
		if _, err := w.Place(`Global\silo/default/web`, image, jobtest.Self); err != nil {
			t.Fatal(err)
		}
	}
	w.FailNth("SignalProcess", 2, jobobject.ErrPermission)
	if code := w.silo(t, "kill", "-s", "ctrl-c", "web"); code != 1 || !strings.Contains(w.Stderr.String(), "send ctrl-c to process") {
		t.Errorf("%d %s, want an error for one process", code, &w.Stderr)
	}
	if n := w.Calls("SignalProcess"); n != 2 {
		t.Errorf("%d signals, want 2", n)
	}
	<-first.Done()
}

func TestKill_DockerNames_Terminate(t *testing.T) {
	for _, args := range []string{"kill mine", "kill -s SIGKILL mine", "kill --signal kill mine", "kill -s 9 mine"} {
		t.Run(args, func(t *testing.T) {
			w := newWorld(t)
			ready, events := make(chan struct{}), make(chan jobobject.ConsoleEvent, 1)
			w.Program("app.exe", listener(ready, events))
			ended, stderr := w.background(t, "run", "--name", "mine", "--", "app")
			<-ready
			if code := w.silo(t, strings.Fields(args)...); code != 0 {
				t.Errorf("%d %s", code, &w.Stderr)
			}
			if code := <-ended; code != 137 || len(events) != 0 {
				t.Errorf("exit code %d after %d events, want 137 after none: %s", code, len(events), stderr)
			}
			if r, err := w.app.Node.Records.Read("mine"); err != nil || r.Exit == nil || r.Exit.Reason != "killed" {
				t.Errorf("record %+v %v, want killed", r, err)
			}
		})
	}
}

func TestStop_RunWithPolicy_EndsForGood(t *testing.T) {
	w := newWorld(t)
	started := make(chan struct{})
	w.Program("app.exe", func(p *jobtest.Proc) uint32 {
		events := p.Events()
		close(started)
		select {
		case <-events:
			return 5
		case <-p.Done():
			return 0
		}
	})
	done := make(chan int)
	other := *w.app // prints elsewhere
	other.Stdout, other.Stderr = &strings.Builder{}, &strings.Builder{}
	go func() {
		done <- other.Main(t.Context(), "silo", []string{"run", "--name", "mine", "--restart", "always", "--", "app"})
	}()
	<-started
	if code := w.silo(t, "run", "--name", "mine", "--", "app"); code != 125 || !strings.Contains(w.Stderr.String(), "its name is in use") {
		t.Errorf("a second one of that name: %d %s", code, &w.Stderr)
	}
	if err := node.RequestStop("mine"); err != nil {
		t.Fatal(err)
	}
	if code := <-done; code != 5 {
		t.Errorf("exit code %d, want 5 and no restart", code)
	}
}

// TestStop_RunBeingStarted_IsAwaited: its job is empty and nothing is written down yet. Stop waits for it all the same.
func TestStop_RunBeingStarted_IsAwaited(t *testing.T) {
	w := newWorld(t)
	_, unlisten, err := node.ListenStop("mine")
	if err != nil {
		t.Fatal(err)
	}
	defer unlisten()
	job, err := jobobject.Create(jobobject.Options{Name: `Global\silo/silo/mine`, KillOnClose: true, Kernel: w.Kernel})
	if err != nil {
		t.Fatal(err)
	}
	looks, done := make(chan bool), make(chan int)
	w.app.Node.Names = func() ([]string, error) {
		looks <- true
		return w.names()
	}
	go func() { done <- w.silo(t, "stop", "mine") }()
	for range 5 {
		select {
		case <-looks:
		case code := <-done:
			t.Fatalf("stop ended with %d while the container was there: %s", code, &w.Stderr)
		}
	}
	if err := job.Close(); err != nil {
		t.Error(err)
	}
	for {
		select {
		case <-looks:
			continue
		case code := <-done:
			if code != 0 || w.Stdout.String() != "silo/mine\n" {
				t.Errorf("%d %q %s", code, &w.Stdout, &w.Stderr)
			}
			return
		}
	}
}

func TestExecKill_ContainerOfAnother_RunInItsJob(t *testing.T) {
	w := newWorld(t)
	job, _ := w.container(t, "default/web")
	w.Program("tool.exe", func(p *jobtest.Proc) uint32 { fmt.Fprint(p.Stdout, "in the job"); return 9 })
	if code := w.silo(t, "exec", "web", "--", "tool"); code != 9 || w.Stdout.String() != "in the job" {
		t.Errorf("exec: %d %s %s", code, &w.Stdout, &w.Stderr)
	}
	if a, err := job.Accounting(); err != nil || a.Total != 2 {
		t.Errorf("%+v %v, want two processes ever in the job", a, err)
	}
	if code := w.silo(t, "kill", "web"); code != 0 || w.Stdout.String() != "default/web\n" {
		t.Errorf("kill: %d %s %s", code, &w.Stdout, &w.Stderr)
	}
	if a, err := job.Accounting(); err != nil || a.Active != 0 {
		t.Errorf("%+v %v, want none left", a, err)
	}
}

// TestRun_SecondsWithoutUnit_AsDocker: the program runs until its time is up.
func TestRun_SecondsWithoutUnit_AsDocker(t *testing.T) {
	w := newWorld(t)
	w.Program("app.exe", func(p *jobtest.Proc) uint32 { <-p.Done(); return 0 })
	if code := w.silo(t, "run", "--timeout", "1", "--stop-timeout", "0", "--", "app"); code != 124 {
		t.Errorf("%d, want 124: %s", code, &w.Stderr)
	}
}

func TestSupervise_StopSignalVariable_IsSent(t *testing.T) {
	w := newWorld(t)
	ready, events := make(chan struct{}), make(chan jobobject.ConsoleEvent, 4)
	w.Program("app.exe", listener(ready, events))
	w.app.Env = append(w.app.Env, "DAMON_LOG_DIR="+w.dir, "DAMON_STOP_SIGNAL=ctrl-shutdown")
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan int)
	go func() { ended <- w.app.Main(ctx, "damon.exe", []string{"app"}) }()
	<-ready
	stop()
	if code := <-ended; code != 6 || <-events != jobobject.CtrlShutdown {
		t.Errorf("exit code %d, want 6 after the event: %s", code, &w.Stderr)
	}
}
