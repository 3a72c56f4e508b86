package jobobject_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// TestSetLimits_CreatedJob_WritesChangedParts counts the kernel calls: one for the structure
// that is always written whole, one more for each other part that is new.
func TestSetLimits_CreatedJob_WritesChangedParts(t *testing.T) {
	k, j := newKernel(t, jobobject.Options{})
	groups := []jobobject.GroupAffinity{{Mask: 3}}
	for _, tt := range []struct {
		name   string
		limits jobobject.Limits
		calls  int
	}{
		{"nothing", jobobject.Limits{}, 1},
		{"rate", jobobject.Limits{CPURate: 5}, 2},
		{"same rate", jobobject.Limits{CPURate: 5, JobMemory: 5}, 1},
		{"no rate", jobobject.Limits{}, 2},
		{"four parts", jobobject.Limits{CPUWeight: 5, NetDSCP: new(uint8(1)), UI: 1, AtJobTime: 1}, 5},
		{"affinity", jobobject.Limits{Affinity: groups}, 6},
		{"same affinity, written again", jobobject.Limits{Affinity: groups}, 2},
	} {
		k.ResetCalls()
		if err := j.SetLimits(t.Context(), tt.limits); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if n := k.Calls("SetLimits"); n != tt.calls {
			t.Errorf("%s: %d calls, want %d", tt.name, n, tt.calls)
		}
	}
}

// someLimits are limits that the creator of a job has set, in five of its six parts.
var someLimits = jobobject.Limits{
	KillOnClose: true, JobMemory: 1 << 30, JobUserTime: time.Hour, AtJobTime: jobobject.JobTimeNotify,
	CPURate: 2500, NetDSCP: new(uint8(1)), UI: jobobject.UIDesktop,
}

// openLimited makes a job with someLimits and opens it.
func openLimited(t *testing.T) (*jobtest.Kernel, *jobobject.Job) {
	t.Helper()
	k, made := newKernel(t, jobobject.Options{Name: "opened"})
	if err := made.SetLimits(t.Context(), someLimits); err != nil {
		t.Fatal(err)
	}
	j, err := jobobject.Open("opened", jobobject.OpenOptions{Access: jobobject.AccessQuery | jobobject.AccessSetAttributes, Kernel: k})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	k.ResetCalls()
	return k, j
}

func wantLimits(t *testing.T, k *jobtest.Kernel, want jobobject.Limits) {
	t.Helper()
	got, _ := k.Limits("opened")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("limits in force (-want +got):\n%s", diff)
	}
}

func TestSetLimits_UnknownLimits_Refused(t *testing.T) {
	k, j := openLimited(t)
	err := j.SetLimits(t.Context(), jobobject.Limits{KillOnClose: true})
	if !errors.Is(err, jobobject.ErrLimitsUnknown) {
		t.Errorf("err = %v, want ErrLimitsUnknown", err)
	}
	for _, fix := range []string{"opened", "QueryLimits", "SetAffinity"} {
		if !strings.Contains(err.Error(), fix) {
			t.Errorf("%q does not say %s", err, fix)
		}
	}
	if n := k.Calls("SetLimits"); n != 0 {
		t.Errorf("%d calls to set limits, want none", n)
	}
	wantLimits(t, k, someLimits)
}

// A query that failed has told nothing.
func TestSetLimits_QueryFailed_Refused(t *testing.T) {
	k, j := openLimited(t)
	k.Fail("QueryLimits "+jobobject.UILimits.String(), 1, errBroken)
	if _, err := j.QueryLimits(t.Context()); !errors.Is(err, errBroken) {
		t.Fatalf("query: %v, want the fault", err)
	}
	if err := j.SetLimits(t.Context(), someLimits); !errors.Is(err, jobobject.ErrLimitsUnknown) {
		t.Errorf("err = %v, want ErrLimitsUnknown", err)
	}
}

// TestSetLimits_OpenedJob_WritesChangedParts: other parts are not written.
func TestSetLimits_OpenedJob_WritesChangedParts(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*jobobject.Limits)
		part   jobobject.LimitPart // the one that is written; 0 for none
	}{
		{"nothing", func(*jobobject.Limits) {}, 0},
		{"memory", func(l *jobobject.Limits) { l.JobMemory = 1 << 31 }, jobobject.ExtendedLimits},
		{"rate", func(l *jobobject.Limits) { l.CPURate = 0 }, jobobject.CPULimits},
		{"action", func(l *jobobject.Limits) { l.AtJobTime = jobobject.JobTimeTerminate }, jobobject.JobTimeLimits},
		{"processors", func(l *jobobject.Limits) { l.Affinity = []jobobject.GroupAffinity{{Mask: 1}} }, jobobject.AffinityLimits},
		{"desktop", func(l *jobobject.Limits) { l.UI = 0 }, jobobject.UILimits},
		{"network", func(l *jobobject.Limits) { l.NetDSCP = nil }, jobobject.NetLimits},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k, j := openLimited(t)
			l, err := j.QueryLimits(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			tt.change(&l)
			if err := j.SetLimits(t.Context(), l); err != nil {
				t.Fatal(err)
			}
			wantLimits(t, k, l)
			want := 1
			if tt.part == 0 {
				want = 0
			}
			if all, part := k.Calls("SetLimits"), k.Calls("SetLimits "+tt.part.String()); all != want || part != want {
				t.Errorf("%d calls, %d of them for %v, want %d", all, part, tt.part, want)
			}
		})
	}
}

func TestSetAffinity_OpenedJob_WritesNothingElse(t *testing.T) {
	k, j := openLimited(t)
	processors := []jobobject.GroupAffinity{{Mask: 3}}
	if err := j.SetAffinity(t.Context(), processors); err != nil {
		t.Fatal(err)
	}
	want := someLimits.Clone()
	want.Affinity = []jobobject.GroupAffinity{{Mask: 3}}
	wantLimits(t, k, want)
	if all, own := k.Calls("SetLimits"), k.Calls("SetLimits "+jobobject.AffinityLimits.String()); all != 1 || own != 1 {
		t.Errorf("%d calls, %d of them for the affinity, want that one alone", all, own)
	}
	processors[0].Mask = 9
	if l := j.Limits(); l.Affinity[0].Mask != 3 {
		t.Error("the affinity shares memory with the caller")
	}
	// The other limits are as unknown as before.
	if err := j.SetLimits(t.Context(), want); !errors.Is(err, jobobject.ErrLimitsUnknown) {
		t.Errorf("set limits: %v, want ErrLimitsUnknown", err)
	}
}

// On a created job the affinity is one of the limits that SetLimits starts from.
func TestSetAffinity_CreatedJob_StaysWithOtherLimits(t *testing.T) {
	k, j := newKernel(t, jobobject.Options{Name: "opened"})
	processors := []jobobject.GroupAffinity{{Mask: 3}}
	if err := errors.Join(j.SetLimits(t.Context(), someLimits), j.SetAffinity(t.Context(), processors)); err != nil {
		t.Fatal(err)
	}
	want := someLimits.Clone()
	want.Affinity = processors
	wantLimits(t, k, want)
	if diff := cmp.Diff(want, j.Limits()); diff != "" {
		t.Errorf("known limits (-want +got):\n%s", diff)
	}
}

func TestSetAffinity_Refused(t *testing.T) {
	k, j := openLimited(t)
	if err := j.SetAffinity(t.Context(), nil); !errors.Is(err, jobobject.ErrNotSupported) || !strings.Contains(err.Error(), "cannot be removed") {
		t.Errorf("no processors: %v, want ErrNotSupported", err)
	}
	if err := j.SetAffinity(t.Context(), []jobobject.GroupAffinity{{Group: 1}}); err == nil || !strings.Contains(err.Error(), "Affinity[0].Mask is 0") {
		t.Errorf("no processor of a group: %v, want the field", err)
	}
	if n := k.Calls("SetLimits"); n != 0 {
		t.Errorf("%d calls, want none", n)
	}
	k.Fail("SetLimits "+jobobject.AffinityLimits.String(), 1, errBroken)
	if err := j.SetAffinity(t.Context(), []jobobject.GroupAffinity{{Mask: 1}}); !errors.Is(err, errBroken) {
		t.Errorf("err = %v, want the fault", err)
	}
	if l := j.Limits(); l.Affinity != nil {
		t.Errorf("affinity = %v, want none after a refusal", l.Affinity)
	}
}

// hanging is a kernel whose SetLimits returns when resume is closed.
type hanging struct {
	*jobtest.Kernel
	entered chan struct{}
	resume  chan struct{}
}

func (k *hanging) SetLimits(h jobobject.Handle, part jobobject.LimitPart, l *jobobject.Limits, keepJobTime bool) error {
	k.entered <- struct{}{}
	<-k.resume
	return k.Kernel.SetLimits(h, part, l, keepJobTime)
}

// One call hangs in the kernel; others must end with their context, or with Close.
func TestSetLimits_AnotherCallHangs_WaitEndsWithContext(t *testing.T) {
	k := &hanging{jobtest.New(), make(chan struct{}, 1), make(chan struct{})}
	j, err := jobobject.Create(jobobject.Options{Kernel: k, Name: "hangs"})
	if err != nil {
		t.Fatal(err)
	}
	hung := make(chan error)
	go func() { hung <- j.SetLimits(context.Background(), jobobject.Limits{}) }()
	<-k.entered
	ctx, cancel := context.WithCancelCause(t.Context())
	waits := map[string]func() error{
		"SetLimits":   func() error { return j.SetLimits(ctx, jobobject.Limits{JobMemory: 1}) },
		"SetAffinity": func() error { return j.SetAffinity(ctx, []jobobject.GroupAffinity{{Mask: 1}}) },
	}
	ended := make(chan error)
	for _, wait := range waits {
		go func() { ended <- wait() }()
	}
	cancel(errBroken)
	for range waits {
		if err := <-ended; !errors.Is(err, errBroken) {
			t.Errorf("err = %v, want the cause of the cancelled context", err)
		}
	}
	if _, err := j.QueryLimits(ctx); err != nil {
		t.Errorf("query of a created job: %v, want it not to wait", err)
	}
	go func() { ended <- j.SetLimits(t.Context(), jobobject.Limits{JobMemory: 1}) }()
	if err := j.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, jobobject.ErrClosed) {
		t.Errorf("wait through close: %v, want ErrClosed", err)
	}
	close(k.resume)
	if err := <-hung; err != nil {
		t.Errorf("the call that hung: %v", err)
	}
}

// TestSetLimits_PartNotSupported_MattersOnlyIfSet has a kernel without one part: that matters only when l sets a limit in it.
func TestSetLimits_PartNotSupported_MattersOnlyIfSet(t *testing.T) {
	k, made := newKernel(t, jobobject.Options{Name: "old"})
	for _, op := range []string{"SetLimits ", "QueryLimits "} {
		k.Fail(op+jobobject.NetLimits.String(), -1, jobobject.ErrNotSupported)
	}
	j, err := jobobject.Open("old", jobobject.OpenOptions{Access: jobobject.AccessAll, Kernel: k})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if _, err := j.QueryLimits(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := j.SetLimits(t.Context(), jobobject.Limits{JobMemory: 5}); err != nil {
		t.Errorf("limits without the part: %v", err)
	}
	if l, err := j.QueryLimits(t.Context()); err != nil || l.JobMemory != 5 {
		t.Errorf("limits = %+v, %v", l, err)
	}
	err = made.SetLimits(t.Context(), jobobject.Limits{NetBandwidth: 5})
	if !errors.Is(err, jobobject.ErrNotSupported) || !strings.Contains(err.Error(), "network") {
		t.Errorf("a limit of the part: %v, want ErrNotSupported and its name", err)
	}
	k.Fail("QueryLimits "+jobobject.CPULimits.String(), 1, errBroken)
	if _, err := j.QueryLimits(t.Context()); !errors.Is(err, errBroken) || !strings.Contains(err.Error(), "processor rate") {
		t.Errorf("query: %v, want the fault and its part", err)
	}
}

// TestSetLimits_SameJobTime_GoesOn changes another limit half-way through the job's time.
func TestSetLimits_SameJobTime_GoesOn(t *testing.T) {
	for _, tt := range []struct {
		name   string
		second jobobject.Limits
		ends   bool
	}{
		{"same time", jobobject.Limits{JobUserTime: time.Second, ActiveProcesses: 9}, true},
		{"new time", jobobject.Limits{JobUserTime: 1100 * time.Millisecond}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k, j := newKernel(t, jobobject.Options{})
			p := startBusy(t, k, j)
			if err := j.SetLimits(t.Context(), jobobject.Limits{JobUserTime: time.Second}); err != nil {
				t.Fatal(err)
			}
			k.Advance(600 * time.Millisecond)
			if err := j.SetLimits(t.Context(), tt.second); err != nil {
				t.Fatal(err)
			}
			k.Advance(600 * time.Millisecond)
			a, err := j.Accounting()
			if err != nil || (a.Active == 0) != tt.ends {
				t.Fatalf("accounting = %+v, %v, want the end: %v", a, err, tt.ends)
			}
			if !tt.ends {
				return
			}
			if code, err := p.Wait(t.Context()); err != nil || code != jobtest.QuotaExit {
				t.Errorf("exit code = %d, %v, want %d", code, err, jobtest.QuotaExit)
			}
		})
	}
}

// startBusy starts a process that keeps one processor busy.
func startBusy(t *testing.T, k *jobtest.Kernel, j *jobobject.Job) *jobobject.Process {
	t.Helper()
	ready := make(chan struct{})
	k.Program("busy.exe", func(p *jobtest.Proc) uint32 {
		p.Busy(1, 0)
		close(ready)
		<-p.Done()
		return 0
	})
	p, err := j.Start(jobobject.ProcessOptions{CommandLine: "busy.exe"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	<-ready
	return p
}
