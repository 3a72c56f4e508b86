package engine_test

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/engine"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
	"github.com/siloshim/siloshim/shim/stdio"
)

// user is a token that counts its closes.
type user struct{ closed int }

func (*user) Handle() uintptr                { return 0 }
func (*user) Environment() ([]string, error) { return []string{"FROM=user"}, nil }
func (u *user) Close() error                 { u.closed++; return nil }

// adopted is a container of a job with a limit of 7 processes.
func adopted(t *testing.T, k *jobtest.Kernel, u *user) (*jobobject.Job, container.Container) {
	t.Helper()
	job, err := jobobject.Create(jobobject.Options{Name: "mine", KillOnClose: true, Kernel: k})
	if err != nil {
		t.Fatal(err)
	}
	if err := job.SetLimits(t.Context(), jobobject.Limits{KillOnClose: true, ActiveProcesses: 7}); err != nil {
		t.Fatal(err)
	}
	c, err := engine.Engine{Kernel: k}.Adopt(t.Context(), job, u, "c", t.TempDir(), new(plan.HostProcess))
	if err != nil {
		t.Fatal(err)
	}
	return job, c
}

func TestAdopt_Job_KeepsItsLimitsAndIsClosed(t *testing.T) {
	k, u := jobtest.New(), new(user)
	job, c := adopted(t, k, u)
	if got := job.Limits(); got.ActiveProcesses != 7 || !got.KillOnClose {
		t.Errorf("limits = %+v, want those of the job", got)
	}
	if err := c.Update(t.Context(), resources(), nil); !errors.Is(err, container.ErrUnsupported) {
		t.Errorf("update: %v, want %v", err, container.ErrUnsupported)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if _, err := job.Pids(); !errors.Is(err, jobobject.ErrClosed) {
		t.Errorf("the job after Close: %v, want %v", err, jobobject.ErrClosed)
	}
	if n := k.OpenHandles(); u.closed != 1 || n != 0 {
		t.Errorf("the token was closed %d times, want once; %d handles are open, want none", u.closed, n)
	}
}

func TestContainer_TerminateProcesses_AnotherMayStart(t *testing.T) {
	k := jobtest.New()
	environments := make(chan []string, 2)
	k.Program("app.exe", func(p *jobtest.Proc) uint32 {
		environments <- p.Env
		<-p.Done()
		return 0
	})
	_, c := adopted(t, k, new(user))
	relay, err := stdio.Open(t.Context(), stdio.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		p := c.Process(&plan.Process{CommandLine: "app.exe", Env: []string{"OWN=1"}}, relay)
		if _, err := p.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if env := <-environments; len(env) != 2 || env[0] != "FROM=user" || env[1] != "OWN=1" {
			t.Errorf("environment %q, want that of the token and the own entries", env)
		}
		if err := c.TerminateProcesses(t.Context(), 5); err != nil {
			t.Error(err)
		}
		if status, err := p.Wait(context.Background()); err != nil || status != 5 {
			t.Errorf("exit status %d, %v; want 5", status, err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := c.Terminate(t.Context(), container.Killed); err != nil {
		t.Error(err)
	}
	p := c.Process(&plan.Process{CommandLine: "app.exe"}, relay)
	if _, err := p.Start(t.Context()); err == nil {
		t.Error("a process was started after Terminate")
	}
	if err := errors.Join(p.Close(), c.Close(), relay.Close()); err != nil {
		t.Error(err)
	}
}

func TestAdopt_BundleMissing_WritesNothing(t *testing.T) {
	k := jobtest.New()
	job, err := jobobject.Create(jobobject.Options{Name: "mine", KillOnClose: true, Kernel: k})
	if err != nil {
		t.Fatal(err)
	}
	bundle := t.TempDir() + "/missing"
	c, err := engine.Engine{Kernel: k}.Adopt(t.Context(), job, new(user), "c", bundle, new(plan.HostProcess))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(bundle); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the bundle: %v, want none", err)
	}
}
