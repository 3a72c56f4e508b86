package hcs_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/hcs/hcstest"
	"github.com/siloshim/siloshim/schema"
)

// TestClientCreate_LateResult_IsTerminated: a system that is made after its creator has left is ended.
func TestClientCreate_LateResult_IsTerminated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := bare(t)
		g.service.Fault("CreateSystem", hcstest.Fault{Late: true, Deaf: true, Delay: time.Hour})
		d := hcstest.Container()
		d.ShouldTerminateOnLastHandleClosed = false
		if _, err := g.client.Create(t.Context(), "c1", &d); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		if g.client.Pending() != 1 {
			t.Errorf("%d calls are pending", g.client.Pending())
		}
		<-g.client.Idle()
		if n := g.service.Calls("TerminateSystem"); n != 1 {
			t.Errorf("terminated %d times", n)
		}
		g.settle(t)
	})
}

// TestCreateProcess_LateResult_IsTerminated: so is a process.
func TestCreateProcess_LateResult_IsTerminated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		g.service.Fault("CreateProcess", hcstest.Fault{Late: true, Deaf: true, Delay: time.Hour})
		if _, err := g.system.CreateProcess(t.Context(), &parameters); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		<-g.client.Idle()
		p, err := g.system.Properties(t.Context(), schema.PropertyProcessList)
		if err != nil || len(p.ProcessList) != 1 {
			t.Errorf("%d processes, %v; want the one that was there", len(p.ProcessList), err)
		}
		g.settle(t)
	})
}

// TestShutDown_TakesMinutes_IsNotCancelled: the shutdown takes two minutes. It continues when a caller
// stops waiting earlier.
func TestShutDown_TakesMinutes_IsNotCancelled(t *testing.T) {
	for _, timeout := range []time.Duration{0, 30 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			g := newStage(t)
			g.service.Fault("ShutDownSystem", hcstest.Fault{Late: true, Delay: 2 * time.Minute})
			ctx, cancel := t.Context(), func() {}
			want := error(nil)
			if timeout > 0 {
				ctx, cancel = context.WithTimeout(ctx, timeout)
				want = context.DeadlineExceeded
			}
			defer cancel()
			began := time.Now()
			if err := g.system.ShutDown(ctx); !errors.Is(err, want) {
				t.Errorf("error %v, want %v", err, want)
			}
			status, err := g.system.Wait(t.Context())
			if err != nil || status.ExitType != schema.ExitGraceful {
				t.Errorf("exit %+v, %v", status, err)
			}
			if took := time.Since(began); took != 2*time.Minute {
				t.Errorf("took %v", took)
			}
			if n := g.service.Calls("CancelOperation") + g.service.Calls("TerminateSystem"); n != 0 {
				t.Error("it was cut off")
			}
			g.settle(t)
		})
	}
}

// TestCreateProcess_WaitRefused_QueriesAgain: the creation of a process is done, and the wait for it
// fails. The service is asked again, and the process is whole.
func TestCreateProcess_WaitRefused_QueriesAgain(t *testing.T) {
	for _, answer := range []hcs.Code{hcs.CodeWin32InvalidArgument, hcs.CodeOperationTimeout, hcs.CodeWin32InvalidHandle, hcs.CodeWin32RPCFailed, 0x8000FFFF} {
		t.Run(answer.Error(), func(t *testing.T) { synctest.Test(t, func(t *testing.T) { finishedTooEarly(t, answer) }) })
	}
}

func finishedTooEarly(t *testing.T, answer hcs.Code) {
	g := newStage(t)
	g.service.Fault("CreateProcess", hcstest.Fault{Late: true, Done: true, Err: answer})
	p, err := g.system.CreateProcess(t.Context(), &schema.ProcessParameters{
		CommandLine: "workload.exe args 1", CreateStdOutPipe: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	if out, err := io.ReadAll(p.Stdout()); string(out) != "\"1\"\n" || err != nil {
		t.Errorf("output %q, %v", out, err)
	}
	if code, err := p.Wait(t.Context()); code != 0 || err != nil {
		t.Errorf("exit code %d, %v", code, err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if n := g.service.Calls("ProcessInfo"); n != 1 {
		t.Errorf("asked again %d times", n)
	}
	g.settle(t)
}

// TestCreateProcess_WaitAndQueryRefused_ReturnsTheFirstError: if asking again fails also, the first error counts
// and the process does not live.
func TestCreateProcess_WaitAndQueryRefused_ReturnsTheFirstError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		g.service.Fault("CreateProcess", hcstest.Fault{Late: true, Done: true, Err: hcs.CodeWin32InvalidArgument})
		g.service.Fault("ProcessInfo", hcstest.Fault{Err: hcs.CodeWin32RPCFailed})
		_, err := g.system.CreateProcess(t.Context(), &parameters)
		if !errors.Is(err, hcs.CodeWin32InvalidArgument) {
			t.Errorf("error %v", err)
		}
		p, err := g.system.Properties(t.Context(), schema.PropertyProcessList)
		if err != nil || len(p.ProcessList) != 1 {
			t.Errorf("%d processes, %v", len(p.ProcessList), err)
		}
		g.settle(t)
	})
}

// TestProcessKill_SignalHangs_DoesNotWait: a signal is not answered before the process ends, and Kill
// ends it.
func TestProcessKill_SignalHangs_DoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		release := make(chan struct{})
		g.service.Fault("SignalProcess", hcstest.Fault{Late: true, Hang: release})
		signalled := make(chan error, 1)
		go func() { signalled <- g.process.Signal(t.Context(), schema.CtrlShutdown) }()
		synctest.Wait()
		if err := g.process.Kill(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := g.process.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		close(release)
		if err := <-signalled; !errors.Is(err, hcs.ErrExited) {
			t.Errorf("signal: %v", err)
		}
		g.settle(t)
	})
}

// TestProcessKill_NoNewHandle_UsesItsOwn: where no new handle is to be had, the old one serves.
func TestProcessKill_NoNewHandle_UsesItsOwn(t *testing.T) {
	for _, call := range []string{"OpenSystem", "OpenProcess"} {
		synctest.Test(t, func(t *testing.T) {
			g := newStage(t)
			g.service.Fault(call, hcstest.Fault{Err: hcs.CodeWin32NoResources})
			if err := g.process.Kill(t.Context()); err != nil {
				t.Errorf("%s: %v", call, err)
			}
			if _, err := g.process.Wait(t.Context()); err != nil {
				t.Error(err)
			}
			g.settle(t)
		})
	}
}

// TestProcessWait_SystemEndedWithoutEvent_QueriesTheCode: the system ends without an event of its process. Wait queries
// the exit code once, and ends even if that fails.
func TestProcessWait_SystemEndedWithoutEvent_QueriesTheCode(t *testing.T) {
	for _, lost := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			g := newStage(t)
			g.service.Fault("ProcessExited", hcstest.Fault{})
			if lost {
				g.service.Fault("ProcessProperties", hcstest.Fault{Err: hcs.CodeWin32ElementNotFound})
			}
			if err := g.system.Terminate(t.Context()); err != nil {
				t.Fatal(err)
			}
			code, err := g.process.Wait(t.Context())
			switch {
			case lost && !errors.Is(err, hcs.CodeSystemAlreadyStopped):
				t.Errorf("exit code %d, %v", code, err)
			case !lost && (code != 1 || err != nil):
				t.Errorf("exit code %d, %v", code, err)
			}
			g.settle(t)
		})
	}
}

// TestClient_ServiceLost_WaitsEndAndANewOneWorks: the service crashes. Waits end and say so, calls fail as
// unavailable, and a new one can be used by the same client.
func TestClient_ServiceLost_WaitsEndAndANewOneWorks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		errs := make(chan error, 3)
		go func() {
			_, err := g.system.Wait(t.Context())
			errs <- err
		}()
		go func() {
			_, err := g.process.Wait(t.Context())
			errs <- err
		}()
		release := make(chan struct{})
		g.service.Fault("SystemProperties", hcstest.Fault{Late: true, Hang: release})
		go func() {
			_, err := g.system.Properties(t.Context())
			errs <- err
		}()
		synctest.Wait()
		g.service.Disconnect()
		for range 3 {
			if err := <-errs; !errors.Is(err, hcs.CodeServiceDisconnect) || !errors.Is(err, hcs.ErrUnavailable) {
				t.Errorf("error %v", err)
			}
		}
		if err := g.process.Kill(t.Context()); !errors.Is(err, hcs.ErrUnavailable) {
			t.Errorf("kill: %v", err)
		}
		g.service.Reconnect()
		d := hcstest.Container()
		again, err := g.client.Create(t.Context(), "c1", &d)
		if err != nil {
			t.Fatal(err)
		}
		if err := again.Close(); err != nil {
			t.Error(err)
		}
		close(release)
		g.settle(t)
	})
}
