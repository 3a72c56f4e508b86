package install_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
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

// newService makes a service that is not running yet.
func newService(t *testing.T) string {
	t.Helper()
	m, err := mgr.Connect()
	if err != nil {
		t.Skipf("services cannot be made here: %v", err)
	}
	defer m.Disconnect()
	name := fmt.Sprintf("silo-install-test-%d", os.Getpid())
	s, err := m.CreateService(name, os.Args[0], mgr.Config{}, asService, name)
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		t.Skipf("services cannot be made here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, stopped := s.Control(svc.Stop)
		if errors.Is(stopped, windows.ERROR_SERVICE_NOT_ACTIVE) {
			stopped = nil
		}
		if err := errors.Join(stopped, s.Delete(), s.Close()); err != nil {
			t.Error(err)
		}
	})
	return name
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

func TestServices(t *testing.T) {
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
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	restart := func() (err error) {
		for err = install.Restart(ctx, m, name); errors.Is(err, windows.ERROR_SERVICE_REQUEST_TIMEOUT) && ctx.Err() == nil; {
			err = install.Restart(ctx, m, name) // in a new prefix Wine has been seen to take longer than the 10 s that it gives
		}
		return err
	}
	if err := restart(); err != nil {
		t.Fatalf("restart of a service that is stopped: %v", err)
	}
	first, err := m.Started(name)
	if err != nil || first.IsZero() {
		t.Fatalf("it runs since %v, %v", first, err)
	}
	if err := restart(); err != nil {
		t.Fatalf("restart of a service that runs: %v", err)
	}
	if second, err := m.Started(name); err != nil || !second.After(first) {
		t.Errorf("after the restart it runs since %v, %v; before since %v", second, err, first)
	}
}

func TestProcesses(t *testing.T) {
	pids, err := install.System().Processes(filepath.Base(os.Args[0]))
	if err != nil || !slices.Contains(pids, uint32(os.Getpid())) {
		t.Errorf("%v, %v: want this process, %d", pids, err, os.Getpid())
	}
	if pids, err := install.System().Processes("no-such-program.exe"); err != nil || len(pids) > 0 {
		t.Errorf("%v, %v", pids, err)
	}
}
