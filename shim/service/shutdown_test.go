package service

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/shim/bootstrap"
	"github.com/siloshim/siloshim/shim/pod"
	"github.com/siloshim/siloshim/shim/stdio"
	"github.com/siloshim/siloshim/shim/task"
)

// newEndingService makes a service that reserves an id when it ends the shim. ended gets the result.
func newEndingService() (s *Service, ended <-chan error) {
	last := make(chan error, 1)
	s = NewService(Config{Emit: func(any) {}, Shutdown: func() { last <- s.reserve("late") }})
	return s, last
}

// placeholderTask adds a task without a program.
func placeholderTask(t *testing.T, s *Service, id string) *entry {
	t.Helper()
	if err := s.reserve(id); err != nil {
		t.Fatal(err)
	}
	relay, err := stdio.Open(t.Context(), stdio.Config{})
	if err != nil {
		t.Fatal(err)
	}
	added := s.newEntry(task.Config{ID: id, Bundle: t.TempDir(), Container: pod.NewPlaceholder(), Emit: s.config.Emit}, plan.Placeholder(), bootstrap.Options{}, relay, task.Stdio{})
	if err := s.publish(added); err != nil {
		t.Fatal(err)
	}
	return added
}

// TestShutdown_Now_NoIDIsReserved: a Create after the Shutdown fails.
func TestShutdown_Now_NoIDIsReserved(t *testing.T) {
	s, ended := newEndingService()
	made := placeholderTask(t, s, "c")
	if _, err := s.Shutdown(t.Context(), &api.ShutdownRequest{ID: "c", Now: true}); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errdefs.IsUnavailable(err) {
		t.Errorf("a task at the end: %v, want unavailable", err)
	}
	if _, err := s.remove(t.Context(), made.Task, ""); err != nil {
		t.Error(err)
	}
}

func TestIdle_Timeout_NoIDIsReserved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, ended := newEndingService()
		defer s.watchIdle().close()
		begin := time.Now()
		if err := <-ended; !errdefs.IsUnavailable(err) {
			t.Errorf("a task at the end: %v, want unavailable", err)
		}
		if took := time.Since(begin); took != idleTimeout {
			t.Errorf("the end came after %v, want %v", took, idleTimeout)
		}
	})
}

// TestIdle_TaskAtTheLastMoment_KeepsTheShim: a task may be created between the timeout and its call.
func TestIdle_TaskAtTheLastMoment_KeepsTheShim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, ended := newEndingService()
		defer s.watchIdle().close()
		count := s.countTasks
		s.countTasks = func(int) {} // the timer is not stopped
		made := placeholderTask(t, s, "c")
		s.countTasks = count
		time.Sleep(2 * idleTimeout)
		if len(ended) > 0 {
			t.Fatal("the shim has ended with a task in it")
		}
		if _, err := s.remove(t.Context(), made.Task, ""); err != nil {
			t.Error(err)
		}
	})
}

// TestUndoCreate_TaskRuns_KeepsIt: a task that cannot be deleted keeps its id.
func TestUndoCreate_TaskRuns_KeepsIt(t *testing.T) {
	s, _ := newEndingService()
	made := placeholderTask(t, s, "c")
	if _, err := made.Init.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.undoCreate(&api.CreateTaskRequest{ID: "c"})
	if got, err := s.task("c"); got != made {
		t.Errorf("the running task is gone: %v", err)
	}
	if err := s.reserve("c"); !errdefs.IsAlreadyExists(err) {
		t.Errorf("its id is free: %v", err)
	}
	if err := made.Init.Kill(container.SIGKILL); err != nil {
		t.Error(err)
	}
	if _, err := made.Init.Wait(context.Background()); err != nil {
		t.Error(err)
	}
	s.undoCreate(&api.CreateTaskRequest{ID: "c"})
	if _, err := s.task("c"); !errdefs.IsNotFound(err) {
		t.Errorf("after its end: %v, want not found", err)
	}
}

func TestIdle_NoTaskAndNoClient_EndsAfterTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan time.Time, 2)
		i := newIdle(func() { ended <- time.Now() })
		defer i.close()
		p := make(pipes, 1)
		ours, _ := net.Pipe()
		p <- ours
		l := listener{p, i}
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * idleTimeout) // of the bubble's clock
		i.count(1)                  // a task is created
		_ = c.Close()
		_ = c.Close() // counts once
		time.Sleep(2 * idleTimeout)
		if len(ended) > 0 {
			t.Fatal("a shim with a client, or with a task, has ended")
		}
		i.count(-1)
		last := time.Now()
		if took := (<-ended).Sub(last); took != idleTimeout {
			t.Errorf("it ended after %v, want %v", took, idleTimeout)
		}
	})
}

// TestIdle_LastClientDisconnects_NoClientsCloses: clients disconnect once they have their answers.
func TestIdle_LastClientDisconnects_NoClientsCloses(t *testing.T) {
	i := newIdle(func() {})
	defer i.close()
	<-i.noClients()
	i.countClients(1)
	i.countClients(1)
	left, again := i.noClients(), i.noClients()
	i.countClients(-1)
	select {
	case <-left:
		t.Fatal("a client is there")
	default:
	}
	i.countClients(-1)
	<-left
	<-again
	<-i.noClients()
}
