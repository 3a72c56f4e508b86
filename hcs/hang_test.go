package hcs_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/hcs/hcstest"
	"github.com/siloshim/siloshim/schema"
)

// stage is a running container with a process in it, on a simulated service.
type stage struct {
	service *hcstest.Service
	client  *hcs.Client
	system  *hcs.System
	process *hcs.Process
}

func newStage(t *testing.T) *stage {
	t.Helper()
	g := bare(t)
	d := hcstest.Container()
	var err error
	if g.system, err = g.client.Create(t.Context(), "c1", &d); err != nil {
		t.Fatal(err)
	}
	if err := g.system.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if g.process, err = g.system.CreateProcess(t.Context(), &parameters); err != nil {
		t.Fatal(err)
	}
	return g
}

// bare is a service with nothing in it.
func bare(t *testing.T) *stage {
	t.Helper()
	s := hcstest.New()
	s.Program("workload.exe", hcstest.Workload)
	return &stage{service: s, client: &hcs.Client{Service: s}}
}

var parameters = schema.ProcessParameters{
	CommandLine: "workload.exe wait", CreateStdInPipe: true, CreateStdOutPipe: true, EmulateConsole: true,
}

// settle closes everything and checks that nothing is left.
func (g *stage) settle(t *testing.T) {
	t.Helper()
	if g.process != nil {
		if err := g.process.Close(); err != nil {
			t.Error(err)
		}
	}
	if g.system != nil {
		if err := g.system.Close(); err != nil {
			t.Error(err)
		}
	}
	synctest.Wait()
	hcstest.Settled(t, g.service, g.client)
	g.service.Wait()
	if list, err := g.client.Enumerate(t.Context(), nil); err != nil || len(list) != 0 {
		t.Errorf("left over: %v, %v", list, err)
	}
}

// hangs are the calls of the service with a method that makes each of them, and
// the time that the method takes at most.
var hangs = []struct {
	call  string
	limit time.Duration
	do    func(context.Context, *stage) error
}{
	{"CreateSystem", 4 * time.Minute, func(ctx context.Context, g *stage) error {
		d := hcstest.Container()
		_, err := g.client.Create(ctx, "c2", &d)
		return err
	}},
	{"SetSystemCallback", 4 * time.Minute, func(ctx context.Context, g *stage) error {
		d := hcstest.Container()
		_, err := g.client.Create(ctx, "c2", &d)
		return err
	}},
	{"OpenSystem", time.Minute, func(ctx context.Context, g *stage) error {
		_, err := g.client.Open(ctx, "c1")
		return err
	}},
	{"StartSystem", 4 * time.Minute, func(ctx context.Context, g *stage) error { return g.system.Start(ctx) }},
	{"PauseSystem", 4 * time.Minute, func(ctx context.Context, g *stage) error { return g.system.Pause(ctx) }},
	{"ResumeSystem", 4 * time.Minute, func(ctx context.Context, g *stage) error { return g.system.Resume(ctx) }},
	{"ShutDownSystem", 10 * time.Minute, func(ctx context.Context, g *stage) error { return g.system.ShutDown(ctx) }},
	{"TerminateSystem", 10 * time.Minute, func(ctx context.Context, g *stage) error { return g.system.Terminate(ctx) }},
	{"SystemProperties", time.Minute, func(ctx context.Context, g *stage) error {
		_, err := g.system.Properties(ctx)
		return err
	}},
	{"ModifySystem", time.Minute, func(ctx context.Context, g *stage) error {
		return g.system.Modify(ctx, &schema.ModifySettingRequest{})
	}},
	{"EnumerateSystems", time.Minute, func(ctx context.Context, g *stage) error {
		_, err := g.client.Enumerate(ctx, nil)
		return err
	}},
	{"ServiceProperties", time.Minute, func(ctx context.Context, g *stage) error {
		_, err := g.client.ServiceProperties(ctx)
		return err
	}},
	{"ModifyServiceSettings", 4 * time.Minute, func(ctx context.Context, g *stage) error {
		_, err := g.client.ModifyService(ctx, &schema.ModificationRequest{})
		return err
	}},
	{"CreateOperation", time.Minute, func(ctx context.Context, g *stage) error {
		_, err := g.system.Properties(ctx)
		return err
	}},
	{"CreateProcess", 4 * time.Minute, func(ctx context.Context, g *stage) error {
		_, err := g.system.CreateProcess(ctx, &parameters)
		return err
	}},
	{"SetProcessCallback", 4 * time.Minute, func(ctx context.Context, g *stage) error {
		_, err := g.system.CreateProcess(ctx, &parameters)
		return err
	}},
	{"OpenProcess", time.Minute, func(ctx context.Context, g *stage) error {
		_, err := g.system.OpenProcess(ctx, g.process.Pid())
		return err
	}},
	{"ProcessProperties", time.Minute, func(ctx context.Context, g *stage) error {
		_, err := g.process.Status(ctx)
		return err
	}},
	{"SignalProcess", time.Minute, func(ctx context.Context, g *stage) error { return g.process.Signal(ctx, schema.CtrlC) }},
	{"ModifyProcess", time.Minute, func(ctx context.Context, g *stage) error { return g.process.Resize(ctx, 80, 25) }},
	{"TerminateProcess", time.Minute, func(ctx context.Context, g *stage) error { return g.process.Kill(ctx) }},
}

// TestClient_HungCall_EndsInTimeAndLeavesNothing lets every call hang in turn: in the call, in the operation behind it,
// and in one that takes no notice of its cancellation. The method ends in time,
// by its own limit and by its context; the rest of the service stays usable; and
// when the call comes back at last, nothing of it remains.
func TestClient_HungCall_EndsInTimeAndLeavesNothing(t *testing.T) {
	for _, h := range hangs {
		for kind, fault := range map[string]hcstest.Fault{"call": {}, "operation": {Late: true}, "deaf": {Late: true, Deaf: true}} {
			for _, end := range []error{context.DeadlineExceeded, context.Canceled} {
				name := strings.Join([]string{h.call, kind, end.Error()}, "/")
				t.Run(name, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { hang(t, h.call, fault, end, h.limit, h.do) })
				})
			}
		}
	}
}

func hang(t *testing.T, call string, fault hcstest.Fault, end error, limit time.Duration, do func(context.Context, *stage) error) {
	g := newStage(t)
	release := make(chan struct{})
	fault.Hang = release
	g.service.Fault(call, fault)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if errors.Is(end, context.Canceled) {
		limit = 3 * time.Second
		time.AfterFunc(limit, cancel)
	}
	began := time.Now()
	err := do(ctx, g)
	if !errors.Is(err, end) {
		t.Errorf("error %v, want %v", err, end)
	}
	if _, ok := errors.AsType[*hcs.Error](err); !ok {
		t.Errorf("error %v does not tell the operation", err)
	}
	if took := time.Since(began); took != limit {
		t.Errorf("took %v, want %v", took, limit)
	}
	if _, err := g.system.Properties(t.Context()); err != nil {
		t.Errorf("meanwhile: %v", err)
	}
	if _, err := g.process.Status(t.Context()); err != nil {
		t.Errorf("meanwhile: %v", err)
	}
	if took := time.Since(began); took != limit {
		t.Errorf("others waited %v", took-limit)
	}
	close(release)
	g.settle(t)
}

// TestClose_Hangs_EndsInTime: Close ends in time, too, and the handle is closed in the end.
func TestClose_Hangs_EndsInTime(t *testing.T) {
	for _, call := range []string{"CloseSystem", "CloseProcess"} {
		t.Run(call, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newStage(t)
				release := make(chan struct{})
				g.service.Fault(call, hcstest.Fault{Hang: release})
				err := errors.Join(g.process.Close(), g.system.Close())
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("error %v", err)
				}
				close(release)
				g.settle(t)
			})
		})
	}
}

// TestClose_CallInProgress_HandleStaysOpen: a handle stays open as long as a call that was left behind
// is inside of the service.
func TestClose_CallInProgress_HandleStaysOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newStage(t)
		release := make(chan struct{})
		g.service.Fault("SystemProperties", hcstest.Fault{Hang: release})
		g.service.Fault("SignalProcess", hcstest.Fault{Hang: release})
		for _, do := range []func(context.Context) error{
			func(ctx context.Context) error { _, err := g.system.Properties(ctx); return err },
			func(ctx context.Context) error { return g.process.Signal(ctx, schema.CtrlC) },
		} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if err := do(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
			cancel()
		}
		if err := errors.Join(g.process.Close(), g.system.Close()); err != nil {
			t.Error(err)
		}
		if n := g.service.Calls("CloseSystem") + g.service.Calls("CloseProcess"); n != 0 {
			t.Errorf("%d handles are closed under a call", n)
		}
		close(release)
		g.settle(t)
	})
}
