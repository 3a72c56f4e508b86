package command_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
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

// ran is a service that has run.
type ran struct {
	report
	Event string // what it has reported to the event log
	Log   string
}

// execute runs a service to its end. It is stopped once the function has returned, unless that is nil.
func execute(t *testing.T, w *world, ready func(), args ...string) (r ran) {
	t.Helper()
	log := filepath.Join(w.dir, "service", "test.log")
	requests, status, end := make(chan svc.ChangeRequest), make(chan svc.Status), make(chan report, 1)
	service := command.NewService(t.Context(), w.app, log, func(_ uint32, text string) { r.Event = text }, args...)
	go func() {
		defer close(status)
		own, code := service.Execute(nil, requests, status)
		end <- report{own, code}
	}()
	if first := <-status; first.State != svc.StartPending {
		t.Errorf("first status %+v", first)
	}
	if second, ok := <-status; ok && (second.State != svc.Running || second.Accepts&svc.AcceptStop == 0) {
		t.Errorf("second status %+v", second)
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
	r.report = <-end
	text, err := os.ReadFile(log)
	if err != nil {
		t.Error(err)
	}
	r.Log = string(text)
	return r
}

func TestService_VerbFails_ReportsItsCode(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		code uint32
		want report
		says string // in the event and in the log
	}{
		"the verb is refused":     {[]string{"metrics", "--listen", "nonsense"}, 0, report{true, 125}, `silo metrics: --listen "nonsense"`},
		"no such program":         {[]string{"run", "--", "missing"}, 0, report{true, 127}, "missing: no such program"},
		"none to supervise":       {[]string{"supervise", "missing"}, 0, report{true, 127}, "missing: no such program"},
		"the program fails":       {[]string{"supervise", "app"}, 7, report{true, 7}, ""},
		"the program crashes":     {[]string{"supervise", "app"}, 0xC0000005, report{true, 0xC0000005}, ""},
		"the program has its end": {[]string{"supervise", "app"}, 0, report{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newDamon(t)
			w.Program("app.exe", func(p *jobtest.Proc) uint32 { fmt.Fprintln(p.Stdout, "hello"); return c.code })
			got := execute(t, w, nil, c.args...)
			if diff := cmp.Diff(c.want, got.report); diff != "" {
				t.Errorf("report (-want +got):\n%s", diff)
			}
			if !strings.Contains(got.Event, c.says) || !strings.Contains(got.Log, c.says) {
				t.Errorf("event %q, log %q, want %q in both", got.Event, got.Log, c.says)
			}
			if started := c.says == ""; strings.Contains(got.Log, "hello\n") != started {
				t.Errorf("log %q, want the output of the program: %t", got.Log, started)
			}
		})
	}
}

// A service whose log cannot be written has no output, and does not start.
func TestService_LogCannotBeWritten_DoesNotStart(t *testing.T) {
	w := newWorld(t)
	event := ""
	log := filepath.Join(w.file(t, "a-file", ""), "below", "test.log")
	s := command.NewService(t.Context(), w.app, log, func(_ uint32, text string) { event = text }, "metrics")
	status := make(chan svc.Status, 4)
	own, code := s.Execute(nil, nil, status)
	if !own || code != 125 || len(status) != 1 || !strings.Contains(event, "--log "+log) {
		t.Errorf("%t %d, %d states, event %q; want a failure before the start", own, code, len(status), event)
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
	if got := execute(t, w, func() { <-started }, "supervise", "app"); got.report != (report{}) {
		t.Errorf("report %+v, want success", got)
	}
}

// installed installs a service for the time of the test.
func installed(t *testing.T, w *world, args ...string) *mgr.Service {
	t.Helper()
	m, err := mgr.Connect()
	if err != nil {
		t.Skipf("services cannot be made here: %v", err)
	}
	t.Cleanup(func() { _ = m.Disconnect() })
	name := fmt.Sprintf("silo-command-test-%d", os.Getpid())
	if code := w.silo(t, append(append([]string{"service", "install", "-w", w.dir}, args...), name, "--", "metrics")...); code != 0 {
		t.Fatalf("exit %d: %s", code, &w.Stderr)
	}
	t.Cleanup(func() {
		if code := w.silo(t, "service", "uninstall", name); code != 0 {
			t.Errorf("exit %d: %s", code, &w.Stderr)
		}
		if _, err := registry.OpenKey(registry.LOCAL_MACHINE, `SYSTEM\CurrentControlSet\Services\EventLog\Application\silo `+name, registry.QUERY_VALUE); err == nil {
			t.Error("the event source is left behind")
		}
	})
	s, err := m.OpenService(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestServiceInstall_RestartsAfterEachFailure(t *testing.T) {
	w := newWorld(t)
	w.app.Self = os.Args[0]
	s := installed(t, w)
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

// Windows tries C:\Program.exe for a path with a blank that is not quoted.
func TestServiceInstall_PathWithBlanks_IsQuoted(t *testing.T) {
	w := newWorld(t)
	w.app.Self = `C:\Program Files\silo\silo.exe`
	s := installed(t, w, "-e", "A=two words", "-e", `B=C:\x`)
	line, _, err := command.QueryConfig(s.Handle)
	if err != nil || !strings.HasPrefix(line, `"C:\Program Files\silo\silo.exe" service run --workdir `) {
		t.Errorf("%s, %v; want the path in quotation marks", line, err)
	}
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, `SYSTEM\CurrentControlSet\Services\`+s.Name, registry.QUERY_VALUE)
	if err != nil {
		t.Fatal(err)
	}
	defer key.Close()
	env, kind, err := key.GetStringsValue("Environment")
	if diff := cmp.Diff([]string{"A=two words", `B=C:\x`}, env); diff != "" || err != nil || kind != registry.MULTI_SZ {
		t.Errorf("environment of kind %d, %v (-want +got):\n%s", kind, err, diff)
	}
	if code := w.silo(t, "service", "list", "-o", "json"); code != 0 || !strings.Contains(w.Stdout.String(), `"name": "`+s.Name+`"`) {
		t.Errorf("list: exit %d %s%s", code, &w.Stdout, &w.Stderr)
	}
	if code := w.silo(t, "service", "status", s.Name, "-o", "wide"); code != 0 || !strings.Contains(w.Stdout.String(), "never started") || !strings.Contains(w.Stdout.String(), " metrics") {
		t.Errorf("status: exit %d %s%s", code, &w.Stdout, &w.Stderr)
	}
}

// Services that silo has not made are neither shown nor removed.
func TestServiceUninstall_ServiceOfAnother_Refused(t *testing.T) {
	m, err := mgr.Connect()
	if err != nil {
		t.Skipf("services cannot be made here: %v", err)
	}
	defer m.Disconnect()
	name := fmt.Sprintf("silo-other-test-%d", os.Getpid())
	s, err := m.CreateService(name, `C:\other.exe`, mgr.Config{}, "service")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	defer func() {
		if err := s.Delete(); err != nil {
			t.Error(err)
		}
	}()
	w := newWorld(t)
	for _, verb := range []string{"uninstall", "status"} {
		if code := w.silo(t, "service", verb, name); code != 125 || !strings.Contains(w.Stderr.String(), "not a service of silo") {
			t.Errorf("%s: exit %d %s", verb, code, &w.Stderr)
		}
	}
	if code := w.silo(t, "service", "list"); code != 0 || strings.Contains(w.Stdout.String(), name) {
		t.Errorf("list: exit %d %s", code, &w.Stdout)
	}
	if code := w.silo(t, "service", "uninstall", "silo-missing"); code != 125 || !strings.Contains(w.Stderr.String(), "silo service list") {
		t.Errorf("missing: exit %d %s", code, &w.Stderr)
	}
}

// rights returns who has access by a descriptor.
func rights(t *testing.T, name string, kind windows.SE_OBJECT_TYPE) string {
	t.Helper()
	sd, err := windows.GetNamedSecurityInfo(name, kind, windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		t.Fatal(err)
	}
	return sd.String()
}

// Wine keeps descriptors of keys, and of files only what the mode of a file can say.
func TestServiceInstall_Environment_AdministratorsAlonePermitted(t *testing.T) {
	w := newWorld(t)
	w.app.Self = os.Args[0]
	s := installed(t, w, "-e", "TOKEN=hush")
	got := rights(t, `MACHINE\SYSTEM\CurrentControlSet\Services\`+s.Name, windows.SE_REGISTRY_KEY)
	for _, other := range []string{";WD)", ";BU)", ";AU)", ";IU)", ";AN)"} {
		if strings.Contains(got, other) {
			t.Errorf("the key of the service has the descriptor %s", got)
		}
	}
	if !strings.Contains(got, ";SY)") || !strings.Contains(got, ";BA)") {
		t.Errorf("the key of the service has the descriptor %s", got)
	}
	line, _, err := command.QueryConfig(s.Handle)
	if err != nil {
		t.Fatal(err)
	}
	args, err := windows.DecomposeCommandLine(line)
	if err != nil {
		t.Fatal(err)
	}
	log := args[slices.Index(args, "--log")+1]
	if err := os.Remove(filepath.Dir(log)); err != nil {
		t.Errorf("the directory of the log %s: %v", log, err)
	}
}
