package engine_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/engine"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
	"github.com/siloshim/siloshim/shim/stdio"
)

// The init process has exited; its children receive the event, except the console host, whose exit would end the others.
// Stop returns when they have exited or its context ends.
func TestHostProcess_Stop_EveryMemberReceivesEvent(t *testing.T) {
	k := jobtest.New()
	var mu sync.Mutex
	got := map[string][]uint32{}
	ready := make(chan struct{}, 4)
	free := make(chan struct{})
	handler := func(name string, deaf bool) {
		k.Program(name, func(p *jobtest.Proc) uint32 {
			events := p.Events()
			ready <- struct{}{}
			for {
				select {
				case e := <-events:
					mu.Lock()
					got[name] = append(got[name], uint32(e))
					mu.Unlock()
					if !deaf {
						<-free // it writes its data to the disk
						return 0
					}
				case <-p.Done():
					return 0
				}
			}
		})
	}
	handler("polite.exe", false)
	handler("deaf.exe", true)
	handler("conhost.exe", false)
	k.Program("init.exe", func(p *jobtest.Proc) uint32 {
		for _, child := range p.Args[1:] {
			if _, err := p.Spawn(child); err != nil {
				t.Error(err)
			}
			<-ready
		}
		return 0
	})
	run := func(commandLine string) (container.Container, func()) {
		c, err := engine.Engine{Kernel: k}.HostProcess(t.Context(), "ns", "c", t.TempDir(), &plan.HostProcess{InheritUser: true})
		if err != nil {
			t.Fatal(err)
		}
		relay, err := stdio.Open(t.Context(), stdio.Config{})
		if err != nil {
			t.Fatal(err)
		}
		p := c.Process(&plan.Process{CommandLine: commandLine}, relay)
		if _, err := p.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		return c, func() {
			if err := errors.Join(c.Terminate(t.Context(), container.Killed), p.Close(), relay.Close(), c.Close()); err != nil {
				t.Error(err)
			}
		}
	}

	c, end := run("init.exe polite.exe polite.exe")
	close(free)
	if err := c.Stop(t.Context(), container.SIGTERM); err != nil {
		t.Error(err)
	}
	if left, err := pids(c); len(left) > 0 || err != nil {
		t.Errorf("%v are left, %v", left, err)
	}
	end()

	c, end = run("init.exe deaf.exe conhost.exe")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Stop(ctx, 1); err != nil {
		t.Error(err)
	}
	if left, err := pids(c); len(left) != 2 || err != nil {
		t.Errorf("%v are left, %v; want two", left, err)
	}
	end()

	c, end = run("init.exe conhost.exe") // the console host alone is not awaited
	if err := c.Stop(context.Background(), container.SIGTERM); err != nil {
		t.Error(err)
	}
	end()
	k.Wait()
	if want := []uint32{6, 6}; !slices.Equal(got["polite.exe"], want) {
		t.Errorf("the children received %v, want %v", got["polite.exe"], want)
	}
	if len(got["conhost.exe"]) > 0 {
		t.Errorf("the console host received %v, want nothing", got["conhost.exe"])
	}
}

// racingKernel calls meanwhile before it makes a process.
type racingKernel struct {
	*jobtest.Kernel
	meanwhile func()
}

func (k *racingKernel) CreateProcess(job jobobject.Handle, p *jobobject.ProcessOptions) (jobobject.Handle, uint32, error) {
	k.meanwhile()
	return k.Kernel.CreateProcess(job, p)
}

// The container ends after its job was found empty and before the exec is made. The exec is terminated.
func TestHostProcess_StartDuringTerminate_IsRefused(t *testing.T) {
	k := &racingKernel{Kernel: jobtest.New()}
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
	k.Wait() // hangs if a process runs
	if err := errors.Join(p.Close(), relay.Close(), c.Close()); err != nil {
		t.Error(err)
	}
	if left := k.OpenHandles(); left != before {
		t.Errorf("%d handles are open, %d were before", left, before)
	}
}
