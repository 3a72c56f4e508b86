package probe

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/mgr"
)

// runService is a service that writes what it sees to the file PROBE_REPORT, and when it is stopped exits without a report to
// the service manager, as kubelet may.
func runService() error {
	is, err := svc.IsWindowsService()
	if err != nil {
		return err
	}
	report := fmt.Sprintf("service %t, variable %s", is, os.Getenv("PROBE_VARIABLE"))
	if err := os.WriteFile(os.Getenv("PROBE_REPORT"), []byte(report), 0o644); err != nil {
		return err
	}
	return svc.Run(os.Getenv("PROBE_SERVICE"), abrupt{})
}

type abrupt struct{}

func (abrupt) Execute(_ []string, requests <-chan svc.ChangeRequest, status chan<- svc.Status) (bool, uint32) {
	status <- svc.Status{State: svc.Running, Accepts: svc.AcceptStop}
	for r := range requests {
		if r.Cmd == svc.Stop {
			os.Exit(0)
		}
	}
	return false, 0
}

// A service finds the variables of the registry and detects that it is a service. When it has exited without a report it is
// stopped, and can be started again.
func TestService_ExitsWithoutReport_IsStopped(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	m, err := mgr.Connect()
	if err != nil {
		t.Skipf("services cannot be made here: %v", err)
	}
	defer m.Disconnect()
	name := fmt.Sprintf("silo-probe-%d", os.Getpid())
	s, err := m.CreateService(name, self, mgr.Config{})
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		t.Skipf("services cannot be made here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.Delete(), s.Close()); err != nil {
			t.Error(err)
		}
	})
	report := filepath.Join(t.TempDir(), "report")
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, `System\CurrentControlSet\Services\`+name, registry.SET_VALUE)
	if err != nil {
		t.Fatal(err)
	}
	err = key.SetStringsValue("Environment", []string{"PROBE_CHILD=service", "PROBE_SERVICE=" + name, "PROBE_VARIABLE=a=b", "PROBE_REPORT=" + report})
	if err := errors.Join(err, key.Close()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
		awaitState(t, s, svc.Running)
		if text, err := os.ReadFile(report); err != nil || string(text) != "service true, variable a=b" {
			t.Errorf("the service reports %q, %v", text, err)
		}
		if _, err := s.Control(svc.Stop); err != nil {
			t.Logf("stop: %v", err) // it may be gone before the answer
		}
		awaitState(t, s, svc.Stopped)
	}
}

// awaitState waits until a service is in a state: nothing tells. It has no bound of time; a busy machine takes long.
func awaitState(t *testing.T, s *mgr.Service, want svc.State) {
	t.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for ; ; <-again.C {
		status, err := s.Query()
		if err != nil {
			t.Fatal(err)
		}
		if status.State == want {
			return
		}
	}
}
