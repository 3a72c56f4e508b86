package install_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/mgr"

	"github.com/siloshim/siloshim/cmd/silo/install"
)

// asService makes the test's executable a service.
const asService = "-as-service"

func init() {
	beService = func() bool {
		if len(os.Args) != 3 || os.Args[1] != asService {
			return false
		}
		if err := svc.Run(os.Args[2], idle{}); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		return true
	}
}

// serial numbers the services of this process.
var serial atomic.Int32

// idle is a service that does nothing until it is stopped.
type idle struct{}

func (idle) Execute(_ []string, requests <-chan svc.ChangeRequest, status chan<- svc.Status) (bool, uint32) {
	status <- svc.Status{State: svc.Running, Accepts: svc.AcceptStop}
	for r := range requests {
		if r.Cmd == svc.Stop {
			break
		}
	}
	return false, uint32(windows.NO_ERROR)
}

// newService makes a service that is not running yet, and depends on others.
func newService(t *testing.T, needs ...string) string {
	t.Helper()
	m, err := mgr.Connect()
	if err != nil {
		t.Skipf("services cannot be made here: %v", err)
	}
	defer m.Disconnect()
	name := fmt.Sprintf("silo-install-test-%d-%d", os.Getpid(), serial.Add(1))
	s, err := m.CreateService(name, os.Args[0], mgr.Config{Dependencies: needs}, asService, name)
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		t.Skipf("services cannot be made here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(stop(s), s.Delete(), s.Close()); err != nil {
			t.Error(err)
		}
	})
	return name
}

// stop stops a service that may be starting or stopping, or whose dependents may be.
func stop(s *mgr.Service) error {
	again := time.NewTicker(10 * time.Millisecond) // nothing tells
	defer again.Stop()
	for ; ; <-again.C {
		switch _, err := s.Control(svc.Stop); {
		case errors.Is(err, windows.ERROR_SERVICE_NOT_ACTIVE):
			return nil
		case err != nil && !errors.Is(err, windows.ERROR_DEPENDENT_SERVICES_RUNNING) && !errors.Is(err, windows.ERROR_SERVICE_CANNOT_ACCEPT_CTRL):
			return err
		}
	}
}

// setCommandLine changes what starts a service.
func setCommandLine(t *testing.T, name, line string) {
	t.Helper()
	m, err := mgr.Connect()
	if err != nil {
		t.Fatal(err)
	}
	defer m.Disconnect()
	s, err := m.OpenService(name)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	text, err := windows.UTF16PtrFromString(line)
	if err == nil {
		err = windows.ChangeServiceConfig(s.Handle, windows.SERVICE_NO_CHANGE, windows.SERVICE_NO_CHANGE, windows.SERVICE_NO_CHANGE,
			text, nil, nil, nil, nil, nil, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestSystem_Services_QueriedAndRestarted(t *testing.T) {
	m := install.System()
	if _, err := m.Service("no-such-service"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a service that is not there: %v", err)
	}
	name := newService(t)
	s, err := m.Service(name)
	if err != nil || filepath.Base(s.Exe) != filepath.Base(os.Args[0]) || !slices.Equal(s.Args, []string{asService, name}) {
		t.Errorf("%+v, %v", s, err)
	}
	setCommandLine(t, name, `"`+os.Args[0]+`" --config="C:\Program Files\a b.toml" "-c=quoted"`)
	if s, err := m.Service(name); err != nil || s.Exe != os.Args[0] || !slices.Equal(s.Args, []string{`--config=C:\Program Files\a b.toml`, "-c=quoted"}) {
		t.Errorf("with quotes: %+v, %v", s, err)
	}
	blanks := filepath.Join(t.TempDir(), "with blanks.exe")
	if err := os.WriteFile(blanks, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	setCommandLine(t, name, blanks+" --run-service")
	if s, err := m.Service(name); err != nil || s.Exe != blanks || !slices.Equal(s.Args, []string{"--run-service"}) {
		t.Errorf("without quotes: %+v, %v", s, err)
	}
	setCommandLine(t, name, `"`+os.Args[0]+`" `+asService+" "+name)
	if since, err := m.Started(name); err != nil || !since.IsZero() {
		t.Errorf("before its start it runs since %v, %v", since, err)
	}
	if err := restart(t, m, name); err != nil {
		t.Fatalf("restart of a service that is stopped: %v", err)
	}
	first, err := m.Started(name)
	if err != nil || first.IsZero() {
		t.Fatalf("it runs since %v, %v", first, err)
	}
	if err := restart(t, m, name); err != nil {
		t.Fatalf("restart of a service that runs: %v", err)
	}
	if second, err := m.Started(name); err != nil || !second.After(first) {
		t.Errorf("after the restart it runs since %v, %v; before since %v", second, err, first)
	}
}

// restart restarts a service. In a new prefix Wine has been seen to take longer than the 10 s that it gives a start.
func restart(t *testing.T, m install.ServiceManager, name string) (err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	for err = install.Restart(ctx, m, name); errors.Is(err, windows.ERROR_SERVICE_REQUEST_TIMEOUT) && ctx.Err() == nil; {
		err = install.Restart(ctx, m, name)
	}
	return err
}

func TestRestart_RealDependents_RestartedToo(t *testing.T) {
	m := install.System()
	base := newService(t)
	middle := newService(t, base)
	top := newService(t, middle)
	idle := newService(t, base)
	for _, name := range []string{base, middle, top} {
		if err := restart(t, m, name); err != nil {
			t.Fatal(err)
		}
	}
	switch list, err := m.Dependents(base); {
	case err != nil:
		t.Fatal(err)
	case len(list) == 0:
		t.Skip("the service manager lists no dependents")
	case !slices.Contains(list, middle) || slices.Contains(list, idle):
		t.Errorf("dependents %q, want %s and not %s, which does not run", list, middle, idle)
	}
	if err := m.Stop(base); !errors.Is(err, install.ErrDependents) {
		t.Errorf("stop while a dependent runs: %v, want ErrDependents", err)
	}
	if err := m.Start(base); !errors.Is(err, install.ErrStarted) {
		t.Errorf("start of a service that runs: %v, want ErrStarted", err)
	}
	if err := m.Stop(idle); !errors.Is(err, install.ErrStopped) {
		t.Errorf("stop of a service that does not run: %v, want ErrStopped", err)
	}
	before := map[string]time.Time{}
	for _, name := range []string{base, middle, top} {
		before[name], _ = m.Started(name) // 0 fails below
	}
	if err := restart(t, m, base); err != nil {
		t.Fatal(err)
	}
	for name, since := range before {
		if again, err := m.Started(name); err != nil || since.IsZero() || !again.After(since) {
			t.Errorf("%s runs since %v, %v; before since %v", name, again, err, since)
		}
	}
	if since, err := m.Started(idle); err != nil || !since.IsZero() {
		t.Errorf("%s did not run before, and runs since %v, %v", idle, since, err)
	}
}

func TestSystem_Processes_HasThisProcess(t *testing.T) {
	pids, err := install.System().Processes(filepath.Base(os.Args[0]))
	if err != nil || !slices.Contains(pids, uint32(os.Getpid())) {
		t.Errorf("%v, %v: want this process, %d", pids, err, os.Getpid())
	}
	if pids, err := install.System().Processes("no-such-program.exe"); err != nil || len(pids) > 0 {
		t.Errorf("%v, %v", pids, err)
	}
}
