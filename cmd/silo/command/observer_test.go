package command

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// observed makes jobs with one process each, and their containers.
func observed(t *testing.T, k *jobtest.Kernel, ids ...string) (list []node.Container, end func()) {
	t.Helper()
	var jobs []*jobobject.Job
	for _, id := range ids {
		job, err := jobobject.Create(jobobject.Options{Name: node.JobName("k8s.io", id), TrackIO: true, Kernel: k})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := k.Place(job.Name(), "app.exe", jobtest.Self); err != nil {
			t.Fatal(err)
		}
		jobs = append(jobs, job)
		list = append(list, node.Container{Kind: node.Task, Namespace: "k8s.io", ID: id, Job: job.Name()})
	}
	return list, func() {
		for _, job := range jobs {
			if err := job.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestObserver_SecondLook_OpensNoProcess(t *testing.T) {
	k := jobtest.New()
	list, end := observed(t, k, "a", "b")
	o := (&App{Kernel: k, Now: k.Now}).newObserver()
	for look, opened := range []int{2, 0} {
		k.ResetCalls()
		if views, err := o.samples(t.Context(), list); err != nil || len(views) != 2 {
			t.Fatalf("%d samples, %v", len(views), err)
		}
		if n := k.Calls("OpenProcess"); n != opened {
			t.Errorf("look %d opened %d processes, want %d", look+1, n, opened)
		}
	}
	o.retain(list[:1])
	end()
	if _, err := k.OpenJob(list[0].Job, jobobject.AccessQuery); !errors.Is(err, jobobject.ErrNotExist) {
		t.Errorf("the observer keeps a job open: %v", err)
	}
	o.retain(nil)
	if n := k.OpenHandles(); n != 0 {
		t.Errorf("%d handles left open", n)
	}
}

func TestObserver_ServerContainer_KeepsNoProcessOpen(t *testing.T) {
	k := jobtest.New()
	list, end := observed(t, k, "a")
	list[0].Kind = node.Server
	before := k.OpenHandles()
	if _, err := (&App{Kernel: k, Now: k.Now}).newObserver().samples(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	if n := k.OpenHandles(); n != before {
		t.Errorf("%d handles kept", n-before)
	}
	end()
}

// hanging is a kernel that does not return from queries of the memory of one job.
type hanging struct {
	jobobject.Kernel
	name string
	hang chan struct{}

	mu  sync.Mutex // guards the field below
	job map[jobobject.Handle]bool
}

func (k *hanging) OpenJob(name string, access jobobject.Access) (jobobject.Handle, error) {
	h, err := k.Kernel.OpenJob(name, access)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.job[h] = name == k.name
	return h, err
}

func (k *hanging) MemoryUsage(h jobobject.Handle) (jobobject.MemoryUsage, error) {
	k.mu.Lock()
	hangs := k.job[h]
	k.mu.Unlock()
	if hangs {
		<-k.hang
	}
	return k.Kernel.MemoryUsage(h)
}

func TestObserver_OneContainerHangs_OthersAreSampled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := jobtest.New()
		list, end := observed(t, sim, "a", "b", "c")
		k := &hanging{Kernel: sim, name: list[1].Job, hang: make(chan struct{}), job: map[jobobject.Handle]bool{}}
		o := (&App{Kernel: k, Now: time.Now}).newObserver()
		for range 2 {
			began := time.Now()
			views, err := o.samples(t.Context(), list)
			if len(views) != 2 || time.Since(began) > sampleTimeout {
				t.Errorf("%d samples after %v, %v, want 2 by the deadline", len(views), time.Since(began), err)
			}
			if err == nil {
				t.Error("a container that hangs is not in the error")
			}
		}
		close(k.hang)
		synctest.Wait()
		o.retain(nil)
		end()
		if n := sim.OpenHandles(); n != 0 {
			t.Errorf("%d handles left open", n)
		}
	})
}
