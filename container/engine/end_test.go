package engine_test

import (
	"context"
	"errors"
	"testing"

	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/engine"
	"github.com/siloshim/siloshim/container/hostprocess"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
	"github.com/siloshim/siloshim/shim/stdio"
)

// raced is a kernel that does something else while it makes a process.
type raced struct {
	*jobtest.Kernel
	meanwhile func()
}

func (k *raced) CreateProcess(job jobobject.Handle, p *jobobject.ProcessOptions) (jobobject.Handle, uint32, error) {
	k.meanwhile()
	return k.Kernel.CreateProcess(job, p)
}

// TestStartThatRacesTheEnd: the container ends while an exec is launched into its job, after the job was found empty.
// The exec is refused and nothing of it lives.
func TestStartThatRacesTheEnd(t *testing.T) {
	k := &raced{Kernel: jobtest.New()}
	k.Program("sleep.exe", func(p *jobtest.Proc) uint32 { <-p.Done(); return 0 })
	before := k.OpenHandles()
	c, err := engine.Engine{Kernel: k}.HostProcess(t.Context(), "ns", "c", t.TempDir(), &plan.HostProcess{InheritUser: true})
	if err != nil {
		t.Fatal(err)
	}
	relay, err := stdio.Open(t.Context(), stdio.Config{})
	if err != nil {
		t.Fatal(err)
	}
	k.meanwhile = func() {
		if err := c.Terminate(t.Context(), container.Killed); err != nil {
			t.Error(err)
		}
	}
	p := c.Process(&plan.Process{CommandLine: "sleep.exe"}, relay)
	if _, err := p.Start(context.Background()); !errdefs.IsFailedPrecondition(err) {
		t.Errorf("start: %v, want failed precondition", err)
	}
	k.Wait() // a process that lives would hold this up for ever
	if err := errors.Join(p.Close(), relay.Close(), c.Close()); err != nil {
		t.Error(err)
	}
	if left := k.OpenHandles(); left != before {
		t.Errorf("%d handles are open, %d were before", left, before)
	}
}

// opened is a kernel that records with which rights jobs are opened.
type opened struct {
	*jobtest.Kernel
	access jobobject.Access
}

func (k *opened) OpenJob(name string, access jobobject.Access) (jobobject.Handle, error) {
	k.access = access
	return k.Kernel.OpenJob(name, access)
}

// TestCleanupAsksForNoMoreThanItNeeds, and ends a paused container.
func TestCleanupAsksForNoMoreThanItNeeds(t *testing.T) {
	k := &opened{Kernel: jobtest.New()}
	k.Program("sleep.exe", func(p *jobtest.Proc) uint32 { <-p.Done(); return 0 })
	job, err := jobobject.Create(jobobject.Options{Name: hostprocess.JobName("ns", "c"), Kernel: k})
	if err != nil {
		t.Fatal(err)
	}
	p, err := job.Start(jobobject.ProcessOptions{CommandLine: "sleep.exe"})
	if err != nil {
		t.Fatal(err)
	}
	if err := job.Freeze(); err != nil {
		t.Fatal(err)
	}
	if err := (engine.Engine{Kernel: k}).Cleanup(t.Context(), "ns", "c", t.TempDir()); err != nil {
		t.Error(err)
	}
	if want := jobobject.AccessQuery | jobobject.AccessTerminate; k.access != want {
		t.Errorf("opened with %#x, want %#x", k.access, want)
	}
	if code, err := p.Wait(context.Background()); err != nil || code != container.Killed {
		t.Errorf("the process ended with %d, %v; want %d", code, err, container.Killed)
	}
	if err := errors.Join(p.Close(), job.Close()); err != nil {
		t.Error(err)
	}
}
