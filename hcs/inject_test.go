package hcs_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"

	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/hcs/hcstest"
	"github.com/siloshim/siloshim/schema"
)

// life is a container's, from its creation to its end, with everything a shim
// does to one. It stops at the first error, and closes what it has.
func life(ctx context.Context, c *hcs.Client) (err error) {
	d := hcstest.Container()
	s, err := c.Create(ctx, "c1", &d)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.Start(ctx); err != nil {
		return err
	}
	p, err := s.CreateProcess(ctx, &parameters)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	same, err := s.OpenProcess(ctx, p.Pid())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, same.Close()) }()
	for _, step := range []func() error{
		func() error { _, err := s.Properties(ctx, schema.PropertyStatistics); return err },
		func() error { _, err := p.Status(ctx); return err },
		func() error { return p.Resize(ctx, 80, 25) },
		func() error { return p.Signal(ctx, schema.CtrlC) },
		func() error { return p.CloseStdin(ctx) },
		func() error { _, err := io.ReadAll(p.Stdout()); return err },
		func() error { _, err := p.Wait(ctx); return err },
		func() error { return s.ShutDown(ctx) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	_, err = s.Wait(ctx)
	return err
}

// answering are the calls of the service that can fail.
var answering = []string{
	"CreateOperation", "CreateSystem", "SetSystemCallback", "StartSystem", "CreateProcess", "SetProcessCallback", "OpenProcess",
	"SystemProperties", "ProcessProperties", "ModifyProcess", "SignalProcess", "ShutDownSystem",
}

// TestClient_EachCallFails_ErrorNamesItAndNothingIsLeft fails every call of a life in turn, at the call and at the
// operation behind it. The error tells the operation, its class is the cause's,
// and nothing is left over.
func TestClient_EachCallFails_ErrorNamesItAndNothingIsLeft(t *testing.T) {
	calls := make(map[string]int) // of a life without a failure
	synctest.Test(t, func(t *testing.T) {
		g := bare(t)
		if err := life(t.Context(), g.client); err != nil {
			t.Fatal(err)
		}
		for _, call := range answering {
			calls[call] = g.service.Calls(call)
		}
		g.settle(t)
	})
	failures := 0
	for _, call := range answering {
		for skip := range calls[call] {
			for _, late := range []bool{false, true} {
				synctest.Test(t, func(t *testing.T) {
					failures++
					g := bare(t)
					g.service.Fault(call, hcstest.Fault{Skip: skip, Late: late, Err: &hcs.Failure{Code: hcs.CodeWin32NoResources, Document: "{"}})
					err := life(t.Context(), g.client)
					if e, ok := errors.AsType[*hcs.Error](err); !ok || e.Op == "" || e.ID != "c1" {
						t.Errorf("%s %d: error %v does not tell what failed", call, skip, err)
					}
					if !errors.Is(err, hcs.CodeWin32NoResources) {
						t.Errorf("%s %d: error %v is not the cause", call, skip, err)
					}
					g.settle(t)
				})
			}
		}
	}
	t.Logf("%d failures", failures)
}

// TestSystemWait_Crash_ReportsUnexpectedExit: the system ends of itself.
func TestSystemWait_Crash_ReportsUnexpectedExit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		g.service.Crash("c1")
		status, err := g.system.Wait(t.Context())
		if err != nil || status.ExitType != schema.ExitUnexpected || !errors.Is(hcs.Code(uint32(status.Status)), hcs.CodeUnexpectedExit) {
			t.Errorf("status %+v, %v", status, err)
		}
		g.settle(t)
	})
}

// TestNotifications_Unread_BlockNothing: a system has more unread notifications than it
// keeps. They do not block the thread of the service, so its end is noticed.
func TestNotifications_Unread_BlockNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		c := g.system.Notifications()
		for range 1000 {
			g.service.Notify("c1", hcs.Notification{Event: hcs.EventSystemSiloJobCreated})
		}
		if err := g.system.Terminate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := g.system.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if len(c) == 0 || len(c) == 1000 {
			t.Errorf("%d notifications are kept", len(c))
		}
		if n := <-c; n.Event != hcs.EventSystemSiloJobCreated {
			t.Errorf("the first is %v", n.Event)
		}
		g.settle(t)
	})
}
