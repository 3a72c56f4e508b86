package engine_test

import (
	"context"
	"errors"
	"testing"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/engine"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/jobobject/jobtest"
	"github.com/siloshim/siloshim/shim/stdio"
)

// consoleEnvironment makes a job container and the streams of a process with a terminal. The consoles of the simulated
// kernel close as those of Windows before build 26100.
func consoleEnvironment(t *testing.T) (k *jobtest.Kernel, c container.Container, relay *stdio.Relay) {
	t.Helper()
	k = jobtest.New()
	c, err := engine.Engine{Kernel: k}.HostProcess(t.Context(), "ns", "c", t.TempDir(), &plan.HostProcess{InheritUser: true})
	if err != nil {
		t.Fatal(err)
	}
	relay, err = stdio.Open(t.Context(), stdio.Config{Terminal: true})
	if err != nil {
		t.Fatal(err)
	}
	return k, c, relay
}

// The close of the console waits for the child, but Wait and Close of the process do not.
func TestHostProcess_ConsoleHeldByChild_WaitReturns(t *testing.T) {
	k, c, relay := consoleEnvironment(t)
	before := k.OpenHandles()
	ready := make(chan struct{})
	k.Program("stubborn.exe", func(p *jobtest.Proc) uint32 {
		p.Events() // it ignores the end of its console
		close(ready)
		<-p.Done()
		return 0
	})
	k.Program("parent.exe", func(p *jobtest.Proc) uint32 {
		if _, err := p.Spawn("stubborn.exe"); err != nil {
			t.Error(err)
		}
		<-ready
		return 7
	})
	p := c.Process(&plan.Process{CommandLine: "parent.exe", Terminal: true, Width: 80, Height: 25}, relay)
	if _, err := p.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	relay.Start()
	if status, err := p.Wait(t.Context()); status != 7 || err != nil {
		t.Errorf("wait: %d, %v; want 7", status, err)
	}
	if err := errors.Join(p.Close(), c.Terminate(t.Context(), container.Killed), relay.Close()); err != nil {
		t.Error(err)
	}
	k.Wait() // hangs if a console is not read to its end
	if left := k.OpenHandles(); left != before {
		t.Errorf("%d handles are open, %d were before", left, before)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// The output of the console must be read until its close returns, although no process was started.
func TestHostProcess_StartFails_ConsoleIsClosed(t *testing.T) {
	k, c, relay := consoleEnvironment(t)
	before := k.OpenHandles()
	p := c.Process(&plan.Process{CommandLine: "missing.exe", Terminal: true, Width: 80, Height: 25}, relay)
	if _, err := p.Start(context.Background()); err == nil {
		t.Error("a program that is not there was started")
	}
	if err := errors.Join(relay.Close(), p.Close()); err != nil {
		t.Error(err)
	}
	k.Wait()
	if left := k.OpenHandles(); left != before {
		t.Errorf("%d handles are open, %d were before", left, before)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}
