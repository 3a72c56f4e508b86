package engine_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/engine"
	"github.com/siloshim/siloshim/container/resource"
	"github.com/siloshim/siloshim/hcs/hcstest"
)

// The shutdown takes two minutes.
func TestWCOW_SlowTeardown_IsAwaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := newEnvironment(t)
		c, _ := env.start(env.plan())
		slow := hcstest.Fault{Late: true, Delay: 2 * time.Minute, Deaf: true}
		env.service.Fault("ShutDownSystem", slow)
		env.service.Fault("TerminateSystem", slow)
		begin := time.Now()
		if err := env.end(c); err != nil {
			t.Error(err)
		}
		if took := time.Since(begin); took != 2*time.Minute {
			t.Errorf("terminate took %v, want 2m", took)
		}
	})
}

// Calls about one process, and statistics, return in bounded time.
func TestWCOW_ServiceHangs_CallsTimeOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := newEnvironment(t)
		c, init := env.start(env.plan())
		hang := make(chan struct{})
		for _, call := range []string{"TerminateProcess", "SignalProcess", "SystemProperties"} {
			env.service.Fault(call, hcstest.Fault{Late: true, Hang: hang, Deaf: true, Times: -1})
		}
		begin := time.Now()
		if err := init.Signal(context.Background(), container.SIGKILL); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("kill: %v, want the deadline", err)
		}
		if err := init.Signal(context.Background(), container.SIGTERM); err != nil {
			t.Errorf("an event: %v", err)
		}
		if s := statisticsOf(c, begin); s.GetTimestamp() == nil {
			t.Errorf("statistics %v", s)
		}
		if _, err := pids(c); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("pids: %v, want the deadline", err)
		}
		if took := time.Since(begin); took > time.Minute {
			t.Errorf("all took %v", took)
		}
		close(hang)
		for _, call := range []string{"TerminateProcess", "SignalProcess", "SystemProperties"} {
			env.service.Fault(call, hcstest.Fault{Skip: 1 << 30})
		}
		if err := env.end(c); err != nil {
			t.Error(err)
		}
	})
}

// The record stays as well.
func TestWCOW_TerminateHangs_LayersStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := newEnvironment(t)
		c, _ := env.start(env.plan())
		hang := make(chan struct{})
		for _, call := range []string{"ShutDownSystem", "TerminateSystem"} {
			env.service.Fault(call, hcstest.Fault{Late: true, Hang: hang, Deaf: true, Times: -1})
		}
		if err := env.end(c); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("end: %v, want the deadline", err)
		}
		if err := c.Close(); err == nil || !strings.Contains(err.Error(), `release active-layer C:\scratch`) {
			t.Errorf("close: %v, want it to name the layer", err)
		}
		if held := env.machine.Held(); len(held) != 2 {
			t.Errorf("%v are left; want the layer of the running container", held)
		}
		if err := (engine.Engine{Kernel: env.kernel, Service: env.client, Storage: env.machine, Network: env.machine}).Cleanup(t.Context(), "ns", "c", env.dir); err == nil {
			t.Error("cleanup succeeded although the system did not exit")
		}
		close(hang)
		synctest.Wait() // the hanging calls return
	})
}

// The verb delete has a few seconds for all.
func TestCleanup_CredentialsHang_EndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := newEnvironment(t)
		record := `{"version":2,"resources":[{"kind":"credentials","name":"c"}]}`
		if err := os.WriteFile(filepath.Join(env.dir, resource.File), []byte(record), 0o600); err != nil {
			t.Fatal(err)
		}
		hang := make(chan struct{})
		env.service.Fault("ModifyServiceSettings", hcstest.Fault{Hang: hang, Deaf: true, Times: -1})
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		begin := time.Now()
		e := engine.Engine{Kernel: env.kernel, Service: env.client, Storage: env.machine, Network: env.machine}
		if err := e.Cleanup(ctx, "ns", "c", env.dir); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("cleanup: %v, want the deadline", err)
		}
		if took := time.Since(begin); took != 3*time.Second {
			t.Errorf("cleanup took %v, want the 3s of its context", took)
		}
		close(hang)
		synctest.Wait() // the hanging call returns
	})
}
