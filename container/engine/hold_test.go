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

// world is one job container on a simulated kernel that cannot freeze jobs, and the threads that stand still in it.
type world struct {
	kernel *jobtest.Kernel
	job    *hostprocess.Container

	mu     sync.Mutex // guards the fields below
	change *sync.Cond // of any of them
	procs  map[uint32]*jobtest.Proc
	still  map[uint32]bool
	more   int    // how often a process that is being suspended starts another first
	refuse error  // of every suspension but the first
	seen   func() // called by every suspension
}

// newWorld makes the container. Its end is the test's.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		kernel: jobtest.New(), procs: map[uint32]*jobtest.Proc{}, still: map[uint32]bool{},
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

// suspend stands in for the system's.
func (w *world) suspend(pid uint32) (func() error, error) {
	w.await(func() bool { return w.procs[pid] != nil })
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen != nil {
		w.seen()
	}
	if w.more > 0 {
		w.more--
		if _, err := w.procs[pid].Spawn("sleep.exe"); err != nil {
			return nil, err
		}
	}
	if w.refuse != nil && len(w.still) > 0 {
		return nil, w.refuse
	}
	w.still[pid] = true
	w.change.Broadcast()
	return func() error {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.still, pid)
		return nil
	}, nil
}

// await returns when holds does. Its calls have w.mu.
func (w *world) await(holds func() bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for !holds() {
		w.change.Wait()
	}
}

// start starts a program and returns when it runs.
func (w *world) start(t *testing.T) uint32 {
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

// members are the processes of the job, each with whether it stands still.
func (w *world) members(t *testing.T) map[uint32]bool {
	t.Helper()
	pids, err := pids(w.job)
	if err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	all := map[uint32]bool{}
	for _, pid := range pids {
		all[pid] = w.still[pid]
	}
	return all
}

func (w *world) want(t *testing.T, members int, still bool) {
	t.Helper()
	got := w.members(t)
	want := map[uint32]bool{}
	for pid := range got {
		want[pid] = still
	}
	if diff := cmp.Diff(want, got); len(got) != members || diff != "" {
		t.Errorf("%d members, want %d; which stand still (-want +got):\n%s", len(got), members, diff)
	}
}

// TestPauseFindsThemAll: each process that is being suspended starts another behind the list. All are caught.
func TestPauseFindsThemAll(t *testing.T) {
	w := newWorld(t)
	w.start(t)
	w.more = 5
	if err := w.job.Pause(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.want(t, 6, true)
	if err := w.job.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.want(t, 6, false)
}

// TestPause_FreezeRefused_Suspends: no host documents with which error it refuses to freeze a job.
func TestPause_FreezeRefused_Suspends(t *testing.T) {
	for _, refusal := range []error{jobobject.ErrNotSupported, jobobject.ErrPermission, errors.New("a device is not functioning")} {
		t.Run(refusal.Error(), func(t *testing.T) {
			w := newWorld(t)
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

// TestPause_FreezeAndSuspendRefused_TellsBoth: the one is the cause of the other.
func TestPause_FreezeAndSuspendRefused_TellsBoth(t *testing.T) {
	w := newWorld(t)
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

// TestPauseCatchesWhatComesLater: an exec whose launch was underway, and a process that the kernel tells of.
func TestPauseCatchesWhatComesLater(t *testing.T) {
	w := newWorld(t)
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
	w.await(func() bool { return len(w.still) == 3 })
	w.want(t, 3, true)
}

// TestPauseThatFailsUndoesItself: one process cannot be suspended, and none is in the end.
func TestPauseThatFailsUndoesItself(t *testing.T) {
	w := newWorld(t)
	for range 2 {
		w.start(t)
	}
	w.refuse = jobobject.ErrPermission
	if err := w.job.Pause(t.Context()); !errors.Is(err, jobobject.ErrPermission) {
		t.Errorf("pause: %v, want the refusal", err)
	}
	w.want(t, 2, false)
}

// TestPauseGivesUpOnABomb: processes come faster than they are suspended.
func TestPauseGivesUpOnABomb(t *testing.T) {
	w := newWorld(t)
	w.start(t)
	w.more = 1000
	ctx, cancel := context.WithCancel(t.Context())
	w.seen = func() {
		if w.more < 990 {
			cancel()
		}
	}
	if err := w.job.Pause(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("pause: %v, want the end of its context", err)
	}
	if len(w.still) != 0 {
		t.Errorf("%d processes stand still", len(w.still))
	}
}
