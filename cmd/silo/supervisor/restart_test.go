package supervisor_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siloshim/siloshim/cmd/silo/supervisor"
	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// TestRun_ProgramMissingFor5s_StartsAgain: the program is missing after its first run. Each failed start counts, and the
// output of both runs is complete.
func TestRun_ProgramMissingFor5s_StartsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, _, o := world(t, nil)
		began, runs := time.Now(), 0
		k.Program("app.exe", func(p *jobtest.Proc) uint32 {
			runs++
			fmt.Fprintf(p.Stdout, "run %d\n", runs)
			if runs == 2 {
				return 0
			}
			k.Fail("CreateProcess", -1, jobobject.ErrNotExist)
			time.AfterFunc(5*time.Second, func() { k.Fail("CreateProcess", 0, nil) })
			return 1
		})
		o.Policy = policy(t, "on-failure")
		var out bytes.Buffer
		o.Stdout = &out
		var failed []supervisor.Event
		o.Observe = func(e supervisor.Event) {
			if e.Err != nil {
				failed = append(failed, e)
			}
		}
		r, err := supervisor.Run(t.Context(), o)
		if err != nil || r.Code != 0 || r.Reason != supervisor.Exited || out.String() != "run 1\nrun 2\n" {
			t.Errorf("%+v %v %q, want a second run and the output of both", r, err, &out)
		}
		if time.Since(began) < 5*time.Second || r.Restarts != len(failed)+1 || len(failed) < 5 {
			t.Errorf("%d restarts, %d failed starts in %v; want all that fit into 5 s", r.Restarts, len(failed), time.Since(began))
		}
		for i, e := range failed {
			if !errors.Is(e.Err, jobobject.ErrNotExist) || e.Reason != supervisor.NotStarted || e.Restarts != i+1 || e.Pause != 200*time.Millisecond<<i {
				t.Errorf("failed start %d: %+v", i, e)
			}
		}
	})
}

func TestRun_StartFails_PolicyCounts(t *testing.T) {
	locked := errors.New("another process has the file open")
	for _, c := range []struct {
		policy string
		starts int
	}{
		{"no", 1}, {"on-failure:3", 4},
	} {
		t.Run(c.policy, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k, _, o := world(t, func(*jobtest.Proc) uint32 { t.Error("the program was started"); return 0 })
				k.Fail("CreateProcess", -1, locked)
				o.Policy = policy(t, c.policy)
				r, err := supervisor.Run(t.Context(), o)
				if !errors.Is(err, locked) || r.Reason != supervisor.NotStarted || r.Restarts != c.starts-1 || k.Calls("CreateProcess") != c.starts {
					t.Errorf("%+v %v after %d starts, want the error after %d", r, err, k.Calls("CreateProcess"), c.starts)
				}
			})
		})
	}
}

func TestRun_StoppedAfterFailedStart_ReturnsItsError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, _, o := world(t, nil)
		k.Fail("CreateProcess", -1, jobobject.ErrNotExecutable)
		o.Policy = policy(t, "always")
		ctx, cancel := context.WithCancel(t.Context())
		o.Observe = func(supervisor.Event) { cancel() }
		if r, err := supervisor.Run(ctx, o); !errors.Is(err, jobobject.ErrNotExecutable) || r.Reason != supervisor.NotStarted {
			t.Errorf("%+v %v, want not started and the error", r, err)
		}
	})
}

func TestRun_KilledByAnother_ReasonIsKilled(t *testing.T) {
	_, job, o := world(t, stubborn)
	o.Observe = func(supervisor.Event) {
		if err := job.Terminate(container.Killed); err != nil {
			t.Error(err)
		}
	}
	if r, err := supervisor.Run(t.Context(), o); err != nil || r.Code != container.Killed || r.Reason != supervisor.Forced {
		t.Errorf("%+v %v, want 137, killed", r, err)
	}
}

// TestRun_StopRequest_ReplacesSignalsAndGrace: the program answers no signal.
func TestRun_StopRequest_ReplacesSignalsAndGrace(t *testing.T) {
	for name, c := range map[string]struct {
		stop   supervisor.Stop
		events []jobobject.ConsoleEvent
		took   time.Duration
	}{
		"signals": {supervisor.Stop{Signals: []supervisor.Signal{supervisor.CtrlClose}}, []jobobject.ConsoleEvent{jobobject.CtrlClose}, time.Second},
		"grace":   {supervisor.Stop{Grace: new(5 * time.Second)}, []jobobject.ConsoleEvent{jobobject.CtrlC, jobobject.CtrlBreak}, 10 * time.Second},
		"neither": {supervisor.Stop{}, []jobobject.ConsoleEvent{jobobject.CtrlC, jobobject.CtrlBreak}, 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var events []jobobject.ConsoleEvent
				k, _, o := world(t, func(p *jobtest.Proc) uint32 {
					for heard := p.Events(); ; {
						select {
						case e := <-heard:
							events = append(events, e)
						case <-p.Done():
							return 0
						}
					}
				})
				ctx, cancel := context.WithCancelCause(t.Context())
				go func() {
					synctest.Wait()
					cancel(&c.stop)
				}()
				began := time.Now()
				r, err := supervisor.Run(ctx, o)
				took := time.Since(began)
				k.Wait() // the program writes events until then
				if err != nil || r.Reason != supervisor.Forced || took != c.took || !slices.Equal(events, c.events) {
					t.Errorf("%+v %v after %v and %v, want killed after %v and %v", r, err, took, events, c.took, c.events)
				}
			})
		})
	}
}

func TestRun_SignalRefused_IsWarnedOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, _, o := world(t, stubborn)
		k.Fail("SignalProcess", -1, jobobject.ErrPermission)
		o.Timeout = time.Minute
		var warnings []error
		o.Warn = func(err error) { warnings = append(warnings, err) }
		if r, err := supervisor.Run(t.Context(), o); err != nil || r.Reason != supervisor.Timeout {
			t.Errorf("%+v %v, want timeout", r, err)
		}
		if len(warnings) != 2 || !errors.Is(warnings[0], jobobject.ErrPermission) {
			t.Errorf("warnings %v, want one for each signal", warnings)
		}
	})
}

// FuzzParse: a policy and signals are refused, or can be used.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"no", "always", "on-failure:5", "on-failure:-1", "unless-stopped:3", "SIGTERM, ctrl-c", "CTRL_BREAK_EVENT", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if p, err := supervisor.ParsePolicy(text); err == nil && (p.When == "" || p.Max < 0 || p.Least <= 0 || p.Most < p.Least) {
			t.Errorf("%q gives %+v", text, p)
		}
		list, err := supervisor.ParseSignals(text)
		if (err == nil) == (len(list) == 0) {
			t.Errorf("%q gives %v, %v", text, list, err)
		}
		for _, s := range list {
			if again, err := supervisor.ParseSignal(s.String()); err != nil || again != s {
				t.Errorf("%v is read as %v, %v", s, again, err)
			}
		}
	})
}
