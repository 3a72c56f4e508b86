package command_test

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/mgr"

	"github.com/siloshim/siloshim/cmd/silo/command"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// report is what a service reports to the service manager at its end.
type report struct {
	Own  bool // the code is the service's own
	Code uint32
}

// execute runs a service to its end. It is stopped once the function has returned, unless that is nil.
func execute(t *testing.T, w *world, ready func(), args ...string) report {
	t.Helper()
	requests, status, end := make(chan svc.ChangeRequest), make(chan svc.Status), make(chan report, 1)
	go func() {
		defer close(status)
		own, code := command.NewService(t.Context(), w.app, args...).Execute(nil, requests, status)
		end <- report{own, code}
	}()
	if first := <-status; first.State != svc.Running || first.Accepts&svc.AcceptStop == 0 {
		t.Errorf("first status %+v", first)
	}
	if ready != nil {
		ready()
		requests <- svc.ChangeRequest{Cmd: svc.Stop}
	}
	for s := range status {
		if s.State != svc.StopPending {
			t.Errorf("status %+v, want a pending stop", s)
		}
	}
	return <-end
}

func TestService_VerbFails_ReportsItsCode(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		code uint32
		want report
	}{
		"the verb is refused":     {[]string{"metrics", "--listen", "nonsense"}, 0, report{true, 125}},
		"the program fails":       {[]string{"supervise", "app"}, 7, report{true, 7}},
		"the program crashes":     {[]string{"supervise", "app"}, 0xC0000005, report{true, 0xC0000005}},
		"the program has its end": {[]string{"supervise", "app"}, 0, report{}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newDamon(t)
			w.Program("app.exe", func(*jobtest.Proc) uint32 { return c.code })
			if diff := cmp.Diff(c.want, execute(t, w, nil, c.args...)); diff != "" {
				t.Errorf("report (-want +got):\n%s", diff)
			}
		})
	}
}

// newDamon is a world in which a verb can be supervise.
func newDamon(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.app.Dir = t.TempDir()
	w.app.Env = append(w.app.Env, "DAMON_ENFORCE_CPU_LIMIT=no", "DAMON_ENFORCE_MEMORY_LIMIT=no")
	return w
}

// A service that was stopped must not be started again, with any exit code of its program.
func TestService_StopRequested_ReportsSuccess(t *testing.T) {
	w := newDamon(t)
	started := make(chan struct{})
	w.Program("app.exe", func(p *jobtest.Proc) uint32 {
		events := p.Events() // or it dies of the first
		close(started)
		<-events
		return uint32(windows.STATUS_CONTROL_C_EXIT)
	})
	if got := execute(t, w, func() { <-started }, "supervise", "app"); got != (report{}) {
		t.Errorf("report %+v, want success", got)
	}
}

func TestServiceInstall_RestartsAfterEachFailure(t *testing.T) {
	w := newWorld(t)
	m, err := mgr.Connect()
	if err != nil {
		t.Skipf("services cannot be made here: %v", err)
	}
	defer m.Disconnect()
	w.app.Self = os.Args[0]
	name := fmt.Sprintf("silo-command-test-%d", os.Getpid())
	if code := w.silo(t, "service", "install", name, "--", "metrics"); code != 0 {
		t.Fatalf("exit %d: %s", code, &w.Stderr)
	}
	defer func() {
		if code := w.silo(t, "service", "remove", name); code != 0 {
			t.Errorf("exit %d: %s", code, &w.Stderr)
		}
	}()
	s, err := m.OpenService(name)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	on, err := s.RecoveryActionsOnNonCrashFailures()
	if errors.Is(err, windows.ERROR_INVALID_LEVEL) {
		t.Skipf("the service manager stores no recovery actions: %v", err)
	}
	if err != nil || !on {
		t.Errorf("restarted after a failure without a crash: %v, %v", on, err)
	}
	actions, err := s.RecoveryActions()
	if err != nil || len(actions) != 3 || actions[2] != (mgr.RecoveryAction{Type: mgr.ServiceRestart, Delay: 5 * time.Second}) {
		t.Errorf("recovery actions %v, %v", actions, err)
	}
}
