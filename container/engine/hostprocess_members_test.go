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

// membersEnvironment has a job container on a simulated kernel with console hosts. Its programs run until they are killed.
type membersEnvironment struct {
	t         *testing.T
	kernel    *jobtest.Kernel
	container container.Container
	detached  chan struct{} // receives when detached.exe has no console any more
}

// newMembersEnvironment makes the container and closes it with the test.
func newMembersEnvironment(t *testing.T) *membersEnvironment {
	t.Helper()
	m := &membersEnvironment{t: t, kernel: jobtest.New(), detached: make(chan struct{}, 1)}
	m.kernel.ConsoleHosts()
	m.kernel.Program("sleep.exe", func(p *jobtest.Proc) uint32 {
		<-p.Done()
		return 0
	})
	m.kernel.Program("detached.exe", func(p *jobtest.Proc) uint32 {
		p.FreeConsole()
		m.detached <- struct{}{}
		<-p.Done()
		return 0
	})
	c, err := engine.Engine{Kernel: m.kernel}.HostProcess(t.Context(), "ns", "c", t.TempDir(), &plan.HostProcess{InheritUser: true})
	if err != nil {
		t.Fatal(err)
	}
	m.container = c
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		m.kernel.Wait()
		if left := m.kernel.OpenHandles(); left > 0 {
			t.Errorf("%d handles are open", left)
		}
	})
	return m
}

// start starts a program that runs until the end of the test.
func (m *membersEnvironment) start(program string, terminal bool) container.Process {
	m.t.Helper()
	relay, err := stdio.Open(m.t.Context(), stdio.Config{Terminal: terminal})
	if err != nil {
		m.t.Fatal(err)
	}
	p := m.container.Process(&plan.Process{CommandLine: program, Terminal: terminal, Width: 80, Height: 25}, relay)
	if _, err := p.Start(context.Background()); err != nil {
		m.t.Fatal(err)
	}
	relay.Start()
	m.t.Cleanup(func() {
		if err := errors.Join(m.container.Terminate(context.Background(), container.Killed), p.Close(), relay.Close()); err != nil {
			m.t.Error(err)
		}
	})
	return p
}

// want checks how many of the members are programs and console hosts.
func (m *membersEnvironment) want(when string, programs, hosts int) {
	m.t.Helper()
	list, err := m.container.Processes(m.t.Context())
	if err != nil {
		m.t.Fatal(err)
	}
	found := 0
	for _, p := range list {
		if p.Image == "conhost.exe" {
			found++
		}
	}
	if len(list) != programs+hosts || found != hosts {
		m.t.Errorf("%s: %d members, %d of them console hosts; want %d programs and %d console hosts", when, len(list), found, programs, hosts)
	}
}

func TestHostProcess_Execs_ShareTheConsoleOfInit(t *testing.T) {
	m := newMembersEnvironment(t)
	init := m.start("sleep.exe", false)
	for range 3 {
		m.start("sleep.exe", false)
	}
	m.want("init and three execs", 4, 1)
	if err := init.Signal(t.Context(), container.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if _, err := init.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.want("without init", 3, 1)
}

func TestHostProcess_ExecWithTerminal_OthersShareTheConsoleOfInit(t *testing.T) {
	m := newMembersEnvironment(t)
	m.start("sleep.exe", false)
	m.start("sleep.exe", true) // the simulated host of a pseudo console is no member
	m.want("an exec with a terminal", 2, 1)
	m.start("sleep.exe", false)
	m.want("an exec without", 3, 1)
}

func TestHostProcess_InitWithTerminal_ExecsDoNotShareIt(t *testing.T) {
	m := newMembersEnvironment(t)
	m.start("sleep.exe", true)
	m.start("sleep.exe", false)
	m.start("sleep.exe", false)
	m.want("init with a terminal and two execs", 3, 2)
}

func TestHostProcess_InitWithoutConsole_ExecsGetTheirOwn(t *testing.T) {
	m := newMembersEnvironment(t)
	m.start("detached.exe", false)
	<-m.detached
	m.want("init", 1, 0)
	m.start("sleep.exe", false)
	m.want("an exec", 2, 1)
}

// The console host of a paused container is suspended, so that it would not answer.
func TestHostProcess_Paused_ExecDoesNotUseTheConsoleOfInit(t *testing.T) {
	m := newMembersEnvironment(t)
	m.start("sleep.exe", false)
	if err := m.container.Pause(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.start("sleep.exe", false)
	m.want("an exec in a paused container", 2, 2)
	if err := m.container.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.start("sleep.exe", false)
	m.want("an exec after that", 3, 2)
}

// silo starts a program again in the same container.
func TestHostProcess_InitStartedAgain_HasNewConsole(t *testing.T) {
	m := newMembersEnvironment(t)
	first := m.start("sleep.exe", false)
	if err := first.Signal(t.Context(), container.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if _, err := first.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.want("init has exited", 0, 0)
	m.start("sleep.exe", false)
	m.want("init was started again", 1, 1)
	m.start("sleep.exe", false)
	m.want("an exec", 2, 1)
}
