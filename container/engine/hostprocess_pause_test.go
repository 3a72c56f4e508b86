package engine_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/engine"
	"github.com/siloshim/siloshim/container/hostprocess"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
	"github.com/siloshim/siloshim/shim/stdio"
)

// pauseEnvironment has a job container on a simulated kernel that cannot freeze jobs, and records which processes are
// suspended.
type pauseEnvironment struct {
	kernel *jobtest.Kernel
	job    *hostprocess.Container

	mu        sync.Mutex // guards the fields below
	change    *sync.Cond // of any of them
	procs     map[uint32]*jobtest.Proc
	suspended map[uint32]bool
	spawns    int    // how many suspended processes start another process first
	refuse    error  // returned by every suspension except the first
	onSuspend func() // called by every suspension
}

// newPauseEnvironment makes the container and closes it with the test.
func newPauseEnvironment(t *testing.T) *pauseEnvironment {
	t.Helper()
	w := &pauseEnvironment{
		kernel: jobtest.New(), procs: map[uint32]*jobtest.Proc{}, suspended: map[uint32]bool{},
	}
	w.change = sync.NewCond(&w.mu)
	w.kernel.Fail("Freeze", -1, jobobject.ErrNotSupported)
	w.kernel.Program("sleep.exe", func(p *jobtest.Proc) uint32 {
		w.mu.Lock()
		w.procs[p.Pid()] = p
		w.mu.Unlock()
		w.change.Broadcast()
		<-p.Done()
		return 0
	})
	before := w.kernel.OpenHandles()
	c, err := engine.Engine{Kernel: w.kernel, Suspend: w.suspend}.HostProcess(t.Context(), "ns", "c", t.TempDir(), &plan.HostProcess{InheritUser: true})
	if err != nil {
		t.Fatal(err)
	}
	w.job = c.(*hostprocess.Container)
	t.Cleanup(func() {
		if err := errors.Join(w.job.Terminate(context.Background(), container.Killed), w.job.Close()); err != nil {
			t.Error(err)
		}
		w.kernel.Wait()
		if left := w.kernel.OpenHandles(); left != before {
			t.Errorf("%d handles are open, %d were before", left, before)
		}
	})
	return w
}

// suspend implements [engine.Engine].Suspend.
func (w *pauseEnvironment) suspend(pid uint32) (func() error, error) {
	w.await(func() bool { return w.procs[pid] != nil })
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.onSuspend != nil {
		w.onSuspend()
	}
	if w.spawns > 0 {
		w.spawns--
		if _, err := w.procs[pid].Spawn("sleep.exe"); err != nil {
			return nil, err
		}
	}
	if w.refuse != nil && len(w.suspended) > 0 {
		return nil, w.refuse
	}
	w.suspended[pid] = true
	w.change.Broadcast()
	return func() error {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.suspended, pid)
		return nil
	}, nil
}

// await waits until holds returns true. holds is called with w.mu locked.
func (w *pauseEnvironment) await(holds func() bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for !holds() {
		w.change.Wait()
	}
}

// start starts a process and returns when its program runs.
func (w *pauseEnvironment) start(t *testing.T) uint32 {
	t.Helper()
	relay, err := stdio.Open(t.Context(), stdio.Config{})
	if err != nil {
		t.Fatal(err)
	}
	p := w.job.Process(&plan.Process{CommandLine: "sleep.exe"}, relay)
	pid, err := p.Start(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	w.await(func() bool { return w.procs[pid] != nil })
	t.Cleanup(func() {
		if err := errors.Join(p.Close(), relay.Close()); err != nil {
			t.Error(err)
		}
	})
	return pid
}

// members returns the members of the job, and whether each is suspended.
func (w *pauseEnvironment) members(t *testing.T) map[uint32]bool {
	t.Helper()
	pids, err := pids(w.job)
	if err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	all := map[uint32]bool{}
	for _, pid := range pids {
		all[pid] = w.suspended[pid]
	}
	return all
}

func (w *pauseEnvironment) want(t *testing.T, members int, suspended bool) {
	t.Helper()
	got := w.members(t)
	want := map[uint32]bool{}
	for pid := range got {
		want[pid] = suspended
	}
	if diff := cmp.Diff(want, got); len(got) != members || diff != "" {
		t.Errorf("%d members, want %d; suspended (-want +got):\n%s", len(got), members, diff)
	}
}

// Each member starts another one after the list of members was made.
func TestPause_MembersStartOthers_AllSuspended(t *testing.T) {
	w := newPauseEnvironment(t)
	w.start(t)
	w.spawns = 5
	if err := w.job.Pause(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.want(t, 6, true)
	if err := w.job.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.want(t, 6, false)
}

// The error of a kernel that cannot freeze a job is undocumented.
func TestPause_FreezeRefused_SuspendsMembers(t *testing.T) {
	for _, refusal := range []error{jobobject.ErrNotSupported, jobobject.ErrPermission, errors.New("a device is not functioning")} {
		t.Run(refusal.Error(), func(t *testing.T) {
			w := newPauseEnvironment(t)
			w.kernel.Fail("Freeze", -1, refusal)
			w.start(t)
			if err := w.job.Pause(t.Context()); err != nil {
				t.Fatal(err)
			}
			w.want(t, 1, true)
			if err := w.job.Resume(t.Context()); err != nil {
				t.Fatal(err)
			}
			w.want(t, 1, false)
		})
	}
}

func TestPause_FreezeAndSuspendRefused_ErrorHasBoth(t *testing.T) {
	w := newPauseEnvironment(t)
	freeze := errors.New("a device is not functioning")
	w.kernel.Fail("Freeze", -1, freeze)
	for range 2 {
		w.start(t)
	}
	w.refuse = jobobject.ErrPermission
	if err := w.job.Pause(t.Context()); !errors.Is(err, jobobject.ErrPermission) || !errors.Is(err, freeze) {
		t.Errorf("pause: %v, want both refusals", err)
	}
	w.want(t, 2, false)
}

// One is an exec whose start was in progress; the kernel reports the other in a message.
func TestPause_NewMembers_AreSuspended(t *testing.T) {
	w := newPauseEnvironment(t)
	w.job.Watch(func(container.Notice) {})
	first := w.start(t)
	if err := w.job.Pause(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.start(t)
	w.want(t, 2, true)
	w.mu.Lock()
	p := w.procs[first]
	w.mu.Unlock()
	if _, err := p.Spawn("sleep.exe"); err != nil {
		t.Fatal(err)
	}
	w.await(func() bool { return len(w.suspended) == 3 })
	w.want(t, 3, true)
}

func TestPause_SuspendFails_AllResumed(t *testing.T) {
	w := newPauseEnvironment(t)
	for range 2 {
		w.start(t)
	}
	w.refuse = jobobject.ErrPermission
	if err := w.job.Pause(t.Context()); !errors.Is(err, jobobject.ErrPermission) {
		t.Errorf("pause: %v, want the refusal", err)
	}
	w.want(t, 2, false)
}

func TestPause_EndlessNewMembers_EndsWithContext(t *testing.T) {
	w := newPauseEnvironment(t)
	w.start(t)
	w.spawns = 1000
	ctx, cancel := context.WithCancel(t.Context())
	w.onSuspend = func() {
		if w.spawns < 990 {
			cancel()
		}
	}
	if err := w.job.Pause(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("pause: %v, want the end of its context", err)
	}
	if len(w.suspended) != 0 {
		t.Errorf("%d processes are suspended", len(w.suspended))
	}
}

// The kernel freezes the job at one of two pauses, and refuses at the other.
func TestResume_FrozenAndSuspended_AllRun(t *testing.T) {
	for _, refusals := range [][2]error{{jobobject.ErrNotSupported, nil}, {nil, jobobject.ErrNotSupported}} {
		w := newPauseEnvironment(t)
		pid := w.start(t)
		for _, refusal := range refusals {
			w.kernel.Fail("Freeze", -1, refusal)
			if err := w.job.Pause(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		w.kernel.Fail("Freeze", 0, nil)
		if err := w.job.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.want(t, 1, false)
		if _, err := w.procs[pid].Spawn("sleep.exe"); err != nil { // hangs in a frozen job
			t.Error(err)
		}
	}
}
