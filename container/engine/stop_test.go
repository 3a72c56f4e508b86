package engine_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/engine"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/jobobject/jobtest"
	"github.com/siloshim/siloshim/shim/stdio"
)

// TestJob_Stop_EveryMemberGetsTheEvent: what init has left behind gets the event that init got, but for the console host,
// whose end would take the others with it; Stop returns when they have ended, or with its context.
func TestJob_Stop_EveryMemberGetsTheEvent(t *testing.T) {
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
						<-free // it has something to write to the disk
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
	cancel() // its time is over
	if err := c.Stop(ctx, 1); err != nil {
		t.Error(err)
	}
	if left, err := pids(c); len(left) != 2 || err != nil {
		t.Errorf("%v are left, %v; want two", left, err)
	}
	end()

	c, end = run("init.exe conhost.exe") // it has no program of the container left: Stop waits for none
	if err := c.Stop(context.Background(), container.SIGTERM); err != nil {
		t.Error(err)
	}
	end()
	k.Wait()
	if want := []uint32{6, 6}; !slices.Equal(got["polite.exe"], want) {
		t.Errorf("the children got %v, want %v", got["polite.exe"], want)
	}
	if len(got["conhost.exe"]) > 0 {
		t.Errorf("the console host got %v, want nothing", got["conhost.exe"])
	}
}
