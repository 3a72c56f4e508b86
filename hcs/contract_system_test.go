package hcs_test

import (
	"context"
	"errors"
	"testing"

	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/schema"
)

func testLife(t *testing.T, e environment) {
	s := e.create(t)
	if s.ID() != e.id(t) {
		t.Errorf("id %q", s.ID())
	}
	wantState(t, s, schema.StateCreated)
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantState(t, s, schema.StateRunning)
	if err := s.ShutDown(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantExit(t, s, schema.ExitGraceful)
}

func testTaken(t *testing.T, e environment) {
	s := e.create(t)
	_, err := e.client.Create(t.Context(), s.ID(), &e.document)
	wantError(t, "create", err, hcs.ErrAlreadyExists)
	wantState(t, s, schema.StateCreated)
}

func testUnknownID(t *testing.T, e environment) {
	_, err := e.client.Open(t.Context(), e.id(t))
	wantError(t, "open", err, hcs.ErrNotFound)
	wantError(t, "open", err, hcs.CodeSystemNotFound)
	failed, ok := errors.AsType[*hcs.Error](err)
	if !ok || failed.ID != e.id(t) || failed.Op != "open system" {
		t.Errorf("error %#v", err)
	}
}

func testRefused(t *testing.T, e environment) {
	d := e.document
	c := *d.Container
	c.Processor = &schema.Processor{Count: 1, Maximum: 5000}
	d.Container = &c
	_, err := e.client.Create(t.Context(), e.id(t), &d)
	wantError(t, "create", err, hcs.ErrInvalidArgument)
	_, err = e.client.Open(t.Context(), e.id(t))
	wantError(t, "open what was refused", err, hcs.ErrNotFound)
}

func testWrongState(t *testing.T, e environment) {
	s := e.create(t)
	_, err := s.CreateProcess(t.Context(), e.parameters("exit", "0"))
	wantError(t, "process before start", err, hcs.ErrInvalidState)
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantError(t, "second start", s.Start(t.Context()), hcs.ErrInvalidState)
}

func testShutDown(t *testing.T, e environment) {
	s := e.start(t)
	p := e.run(t, s, "wait")
	here(t, p)
	if err := s.ShutDown(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantExit(t, s, schema.ExitGraceful)
	exit(t, p)
	if err := s.ShutDown(t.Context()); err != nil {
		t.Errorf("second shut down: %v", err)
	}
}

func testTerminate(t *testing.T, e environment) {
	s := e.start(t)
	if err := s.Terminate(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantExit(t, s, schema.ExitForced)
	// The id is free again at once.
	again := e.create(t)
	wantState(t, again, schema.StateCreated)
}

func testTerminateTwice(t *testing.T, e environment) {
	s := e.create(t)
	for range 2 {
		if err := s.Terminate(t.Context()); err != nil {
			t.Error(err)
		}
	}
	wantExit(t, s, schema.ExitForced)
}

func testPause(t *testing.T, e environment) {
	s := e.start(t)
	err := s.Pause(t.Context())
	if errors.Is(err, hcs.ErrNotSupported) {
		wantState(t, s, schema.StateRunning)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	wantState(t, s, schema.StatePaused)
	if err := s.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantState(t, s, schema.StateRunning)
}

func testLastHandle(t *testing.T, e environment) {
	s := e.start(t)
	second, err := e.client.Open(t.Context(), s.ID())
	if err != nil {
		t.Fatal(err)
	}
	closeIt(t, s)
	wantState(t, second, schema.StateRunning)
	closeIt(t, second)
	_, err = e.client.Open(t.Context(), s.ID())
	wantError(t, "open after the last close", err, hcs.ErrNotFound)
}

func testClosed(t *testing.T, e environment) {
	s := e.start(t)
	p := e.run(t, s, "wait")
	closeIt(t, p)
	closeIt(t, p)
	wantError(t, "signal", p.Signal(t.Context(), schema.CtrlC), hcs.ErrClosed)
	wantError(t, "kill", p.Kill(t.Context()), hcs.ErrClosed)
	closeIt(t, s)
	closeIt(t, s)
	wantError(t, "start", s.Start(t.Context()), hcs.ErrClosed)
	_, err := s.CreateProcess(t.Context(), e.parameters("exit", "0"))
	wantError(t, "create process", err, hcs.ErrClosed)
	_, err = s.OpenProcess(t.Context(), p.Pid())
	wantError(t, "open process", err, hcs.ErrClosed)
}

func testWaitEnds(t *testing.T, e environment) {
	s := e.create(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Wait(ctx)
	wantError(t, "wait with its context ended", err, context.Canceled)
	waited := make(chan error)
	go func() {
		_, err := s.Wait(context.Background())
		waited <- err
	}()
	closeIt(t, s)
	wantError(t, "wait of a closed system", <-waited, hcs.ErrClosed)
}

// testLateSubscriber: who opens a system hears of its end, like its creator.
func testLateSubscriber(t *testing.T, e environment) {
	s := e.start(t)
	second, err := e.client.Open(t.Context(), s.ID())
	if err != nil {
		t.Fatal(err)
	}
	defer closeIt(t, second)
	if err := s.Terminate(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantExit(t, second, schema.ExitForced)
}

func testNotificationsEnd(t *testing.T, e environment) {
	s := e.start(t)
	c := s.Notifications()
	if err := s.Terminate(t.Context()); err != nil {
		t.Fatal(err)
	}
	for n := range c {
		if n.Event == hcs.EventSystemExited {
			break
		}
	}
	closeIt(t, s)
	if n, ok := <-c; ok {
		t.Errorf("%v after the end", n.Event)
	}
}

func wantState(t *testing.T, s *hcs.System, want schema.SystemState) {
	t.Helper()
	p, err := s.Properties(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if p.State != want || p.Id != s.ID() || p.SystemType != schema.TypeContainer {
		t.Errorf("%s %s is %s, want %s", p.SystemType, p.Id, p.State, want)
	}
}

func wantExit(t *testing.T, s *hcs.System, want schema.ExitType) {
	t.Helper()
	status, err := s.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if status.ExitType != want {
		t.Errorf("exit type %s, want %s", status.ExitType, want)
	}
	select {
	case <-s.Exited():
	default:
		t.Error("exited is open after the exit")
	}
}
