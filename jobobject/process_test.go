package jobobject_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// TestStart_EndCannotBeWatched_ProcessIsTerminated: a process whose end cannot be seen must not run.
func TestStart_EndCannotBeWatched_ProcessIsTerminated(t *testing.T) {
	k, j := newKernel(t, jobobject.Options{})
	k.Fail("WatchExit", 1, errBroken)
	if _, err := j.Start(jobobject.ProcessOptions{CommandLine: "last.exe"}); !errors.Is(err, errBroken) {
		t.Fatalf("start: %v, want the fault", err)
	}
	k.Wait()
	if a, err := j.Accounting(); err != nil || a.Active != 0 || a.Total != 1 {
		t.Errorf("accounting = %+v, %v, want the process gone", a, err)
	}
}

func TestProcessWait_AlreadyExited_ReturnsCode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, j := newKernel(t, jobobject.Options{})
		p, err := j.Start(jobobject.ProcessOptions{CommandLine: "last.exe"})
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Terminate(4); err != nil {
			t.Fatal(err)
		}
		k.Wait()
		<-p.Exited()
		if code, err := p.Wait(t.Context()); err != nil || code != 4 {
			t.Errorf("exit code = %d, %v, want 4", code, err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if _, err := p.Wait(t.Context()); !errors.Is(err, jobobject.ErrClosed) {
			t.Errorf("wait after close: %v, want ErrClosed", err)
		}
	})
}

func TestConsole_Closed_ResizeReturnsErrClosed(t *testing.T) {
	c, err := jobobject.NewConsole(jobobject.ConsoleOptions{Width: 80, Height: 25})
	if errors.Is(err, jobobject.ErrNotSupported) {
		t.Skipf("the system has no pseudo console: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer c.In.Close()
	defer c.Out.Close()
	for range 2 {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := c.Resize(100, 30); !errors.Is(err, jobobject.ErrClosed) {
		t.Errorf("resize after close: %v, want ErrClosed", err)
	}
}

func TestNewConsole_SizeOutOfRange_IsRefused(t *testing.T) {
	k := jobtest.New()
	for _, size := range [][2]uint16{{0, 25}, {80, 0}, {1 << 15, 25}, {80, 1 << 15}} {
		o := jobobject.ConsoleOptions{Width: size[0], Height: size[1], Kernel: k}
		if _, err := jobobject.NewConsole(o); err == nil || !strings.Contains(err.Error(), "want 1 to 32767 each") {
			t.Errorf("%v: %v, want the range", size, err)
		}
	}
	if n := k.Calls("CreateConsole"); n != 0 {
		t.Errorf("%d calls to the kernel, want none", n)
	}
}

func TestConsoleEvent_String_IsNameOfWindows(t *testing.T) {
	for event, want := range map[jobobject.ConsoleEvent]string{
		jobobject.CtrlC: "CTRL_C", jobobject.CtrlBreak: "CTRL_BREAK", jobobject.CtrlClose: "CTRL_CLOSE",
		jobobject.CtrlLogoff: "CTRL_LOGOFF", jobobject.CtrlShutdown: "CTRL_SHUTDOWN", 4: "console event 4",
	} {
		if got := event.String(); got != want {
			t.Errorf("String() of %d = %q, want %q", uint32(event), got, want)
		}
	}
}

// TestStart_CallerInAJob: the process is in its job, and in that of the caller only where the caller's job requires it.
func TestStart_CallerInAJob(t *testing.T) {
	for _, tt := range []struct {
		name   string
		outer  jobobject.Breakaway
		ask    bool
		nested bool
	}{
		{"not allowed", jobobject.BreakawayNever, true, true},
		{"allowed", jobobject.BreakawayOnRequest, true, false},
		{"allowed and not asked for", jobobject.BreakawayOnRequest, false, true},
		{"always", jobobject.BreakawayAlways, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k, outer := newKernel(t, jobobject.Options{Name: "outer", KillOnClose: true})
			if err := outer.SetLimits(t.Context(), jobobject.Limits{KillOnClose: true, Breakaway: tt.outer}); err != nil {
				t.Fatal(err)
			}
			if !k.Enclose("outer") {
				t.Fatal("there is no job to be in")
			}
			inner, err := jobobject.Create(jobobject.Options{KillOnClose: true, Kernel: k})
			if err != nil {
				t.Fatal(err)
			}
			p, err := inner.Start(jobobject.ProcessOptions{Application: `C:\last.exe`, BreakAway: tt.ask})
			if err != nil {
				t.Fatal(err)
			}
			for _, in := range []struct {
				job  *jobobject.Job
				want bool
			}{{inner, true}, {outer, tt.nested}} {
				pids, err := in.job.Pids()
				if err != nil || slices.Contains(pids, p.Pid()) != in.want {
					t.Errorf("members of %q are %v, %v; process %d among them: want %v", in.job.Name(), pids, err, p.Pid(), in.want)
				}
			}
			if err := errors.Join(p.Close(), inner.Close()); err != nil {
				t.Error(err)
			}
		})
	}
}
