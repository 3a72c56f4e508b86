package supervisor_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siloshim/siloshim/cmd/silo/supervisor"
	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/engine"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// world is a simulated kernel with one job container. The program "app" runs what the test gives it.
func world(t *testing.T, app func(*jobtest.Proc) uint32) (*jobtest.Kernel, *jobobject.Job, supervisor.Options) {
	t.Helper()
	k := jobtest.New()
	k.Program("app.exe", app)
	k.Program("child.exe", func(p *jobtest.Proc) uint32 { <-p.Done(); return 0 })
	job, err := jobobject.Create(jobobject.Options{Name: "job", Kernel: k, KillOnClose: true})
	if err != nil {
		t.Fatal(err)
	}
	c, err := engine.Engine{Kernel: k}.Adopt(t.Context(), job, nil, "c", t.TempDir(), &plan.HostProcess{InheritUser: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		k.Wait()
		if n := k.OpenHandles(); n != 0 {
			t.Errorf("%d handles are open, want none", n)
		}
	})
	policy, err := supervisor.ParsePolicy("no")
	if err != nil {
		t.Fatal(err)
	}
	return k, job, supervisor.Options{
		Container: c, Process: &plan.Process{CommandLine: "app.exe"}, Policy: policy,
		Signals: []supervisor.Signal{supervisor.CtrlC, supervisor.CtrlBreak}, Grace: time.Second,
	}
}

func policy(t *testing.T, text string) supervisor.Policy {
	t.Helper()
	p, err := supervisor.ParsePolicy(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestRun_ProgramEnds_ReturnsExitCodeAndOutput(t *testing.T) {
	_, _, o := world(t, func(p *jobtest.Proc) uint32 {
		fmt.Fprint(p.Stdout, "out ")
		fmt.Fprint(p.Stderr, "err")
		return 7
	})
	var out bytes.Buffer
	o.Stdout = &out
	r, err := supervisor.Run(t.Context(), o)
	if err != nil || r.Code != 7 || r.Reason != supervisor.Exited || out.String() != "out err" {
		t.Errorf("%+v %v %q, want code 7, exited, the output of both streams", r, err, out.String())
	}
}

func TestRun_ProgramLeavesChild_ChildEnds(t *testing.T) {
	k, job, o := world(t, nil)
	k.Program("app.exe", func(p *jobtest.Proc) uint32 {
		if _, err := k.Place("job", "left.exe", p.Pid()); err != nil {
			return 1
		}
		return 0
	})
	if r, err := supervisor.Run(t.Context(), o); err != nil || r.Code != 0 {
		t.Fatal(r, err)
	}
	if a, err := job.Accounting(); err != nil || a.Active != 0 || a.Total != 2 {
		t.Errorf("%+v %v, want none left of 2", a, err)
	}
}

func TestRun_Policy_RestartsWithPauses(t *testing.T) {
	for _, c := range []struct {
		policy string
		code   uint32
		starts int
	}{
		{"no", 1, 1}, {"on-failure:3", 1, 4}, {"on-failure", 0, 1}, {"on-failure:1", container.Killed, 2},
	} {
		t.Run(c.policy, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var starts atomic.Int32
				_, _, o := world(t, func(*jobtest.Proc) uint32 { starts.Add(1); return c.code })
				o.Policy = policy(t, c.policy)
				var pauses []time.Duration
				o.Observe = func(e supervisor.Event) {
					if e.Pid == 0 {
						pauses = append(pauses, e.Pause)
					}
				}
				r, err := supervisor.Run(t.Context(), o)
				if err != nil || int(starts.Load()) != c.starts || r.Restarts != c.starts-1 || r.Code != c.code {
					t.Errorf("%+v %v after %d starts, want %d", r, err, starts.Load(), c.starts)
				}
				want := []time.Duration{100 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond}[:c.starts-1]
				if !slices.Equal(pauses, want) {
					t.Errorf("pauses %v, want %v", pauses, want)
				}
			})
		})
	}
}

func TestRun_Stopped_SendsOneSignalAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		events := make(chan uint32, 2)
		_, _, o := world(t, func(p *jobtest.Proc) uint32 {
			for heard := p.Events(); ; {
				select {
				case e := <-heard:
					events <- uint32(e)
					if e == jobobject.ConsoleEvent(supervisor.CtrlBreak) {
						return 3
					}
				case <-p.Done():
					return 0
				}
			}
		})
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			synctest.Wait()
			cancel()
		}()
		began := time.Now()
		r, err := supervisor.Run(ctx, o)
		if err != nil || r.Code != 3 || r.Reason != supervisor.Stopped {
			t.Errorf("%+v %v, want code 3, stopped", r, err)
		}
		if c, b := <-events, <-events; c != 0 || b != 1 || time.Since(began) != time.Second {
			t.Errorf("events %d and %d in %v, want 0 and 1 with one grace between", c, b, time.Since(began))
		}
	})
}

// stubborn answers no event.
func stubborn(p *jobtest.Proc) uint32 {
	p.Events()
	<-p.Done()
	return 0
}

func TestRun_SignalsIgnored_IsKilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, o := world(t, stubborn)
		o.Policy = policy(t, "always")
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			synctest.Wait()
			cancel()
		}()
		began := time.Now()
		r, err := supervisor.Run(ctx, o)
		if err != nil || r.Code != container.Killed || r.Reason != supervisor.Forced || time.Since(began) != 2*time.Second {
			t.Errorf("%+v %v after %v, want 137, killed, after two graces", r, err, time.Since(began))
		}
	})
}

func TestRun_TimeUp_IsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, o := world(t, stubborn)
		o.Timeout = time.Minute
		r, err := supervisor.Run(t.Context(), o)
		if err != nil || r.Code != supervisor.TimedOut || r.Reason != supervisor.Timeout {
			t.Errorf("%+v %v, want 124, timeout", r, err)
		}
	})
}

func TestRun_StoppedBeforeStart_StartsNothing(t *testing.T) {
	_, _, o := world(t, func(*jobtest.Proc) uint32 { t.Error("the program was started"); return 0 })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, err := supervisor.Run(ctx, o)
	if err != nil || r.Code != container.Killed || r.Reason != supervisor.Forced {
		t.Errorf("%+v %v, want 137, killed", r, err)
	}
}

func TestRun_StoppedInPause_ReturnsLatestExit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, o := world(t, func(*jobtest.Proc) uint32 { return 5 })
		o.Policy = policy(t, "always")
		ctx, cancel := context.WithCancel(t.Context())
		o.Observe = func(e supervisor.Event) {
			if e.Pause > 10*time.Second {
				cancel()
			}
		}
		r, err := supervisor.Run(ctx, o)
		if err != nil || r.Code != 5 || r.Restarts == 0 {
			t.Errorf("%+v %v, want the code of the latest run", r, err)
		}
	})
}

func TestRun_MemoryRefused_IsReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, job, o := world(t, func(p *jobtest.Proc) uint32 {
			if p.Commit(64 << 20) {
				return 0
			}
			return 9
		})
		if err := job.SetLimits(t.Context(), jobobject.Limits{KillOnClose: true, JobMemory: 32 << 20}); err != nil {
			t.Fatal(err)
		}
		var reported atomic.Bool // of refused memory
		o.Notice = func(n container.Notice) {
			if n.Kind == jobobject.JobMemoryLimit {
				reported.Store(true)
			}
		}
		r, err := supervisor.Run(t.Context(), o)
		if err != nil || r.Code != 9 {
			t.Fatal(r, err)
		}
		if !reported.Load() || r.Reason != supervisor.Memory {
			t.Errorf("reason %s, refusal reported: %v; want %s after a report", r.Reason, reported.Load(), supervisor.Memory)
		}
	})
}

func TestRun_NoSuchProgram_IsNotStarted(t *testing.T) {
	_, _, o := world(t, nil)
	o.Process.CommandLine = "missing.exe"
	var out bytes.Buffer
	o.Stdout = &out
	if r, err := supervisor.Run(t.Context(), o); !errors.Is(err, jobobject.ErrNotExist) || r.Reason != supervisor.NotStarted {
		t.Errorf("%+v %v, want not started, %v", r, err, jobobject.ErrNotExist)
	}
}

func TestParse_PoliciesAndSignals_AsDocumented(t *testing.T) {
	for _, bad := range []string{"", "never", "on-failure:0", "on-failure:x", "always:2", "no:1"} {
		if p, err := supervisor.ParsePolicy(bad); err == nil {
			t.Errorf("policy %q is %+v, want an error", bad, p)
		}
	}
	for text, want := range map[string][]supervisor.Signal{
		"ctrl-c,CTRL_BREAK":     {supervisor.CtrlC, supervisor.CtrlBreak},
		"SIGTERM, CTRL_C_EVENT": {supervisor.CtrlShutdown, supervisor.CtrlC},
	} {
		if got, err := supervisor.ParseSignals(text); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q is %v %v, want %v", text, got, err, want)
		}
	}
	if _, err := supervisor.ParseSignals("ctrl-c,"); err == nil {
		t.Error("an empty signal is taken")
	}
}
