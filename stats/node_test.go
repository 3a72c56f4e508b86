package stats_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/stats"
)

// The list of one container and that of the node say the same; only the node knows the threads.
func TestNode_Processes_AgreeWithTheCollector(t *testing.T) {
	m := newMachine(t)
	m.placeMany(container, 3)
	m.placeMany(otherJob, 2)
	jobs := []*jobobject.Job{m.open(container), m.open(otherJob)}
	lists, err := stats.NewNode(m.Kernel).Processes(context.Background(), jobs)
	if err != nil {
		t.Fatal(err)
	}
	for i, job := range jobs {
		want, err := stats.NewCollector(job, stats.Options{CountHandles: true}).Processes(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range lists[i] {
			if !p.Has(stats.KnownThreads) || p.Threads == 0 {
				t.Errorf("threads of %d are unknown", p.Pid)
			}
		}
		if diff := cmp.Diff(want, lists[i], cmpopts.IgnoreFields(stats.Process{}, "Threads", "Known")); diff != "" {
			t.Errorf("job %d (-alone +node):\n%s", i, diff)
		}
	}
}

// Without the list of the machine, each container is queried on its own.
func TestNode_NoListOfTheMachine_EachJobIsListed(t *testing.T) {
	for _, nth := range []int{1, 2} {
		m := newMachine(t)
		m.placeMany(container, 3)
		m.FailNth("SystemProcesses", nth, jobobject.ErrPermission)
		lists, err := stats.NewNode(m.Kernel).Processes(context.Background(), []*jobobject.Job{m.open(container)})
		if err != nil || len(lists) != 1 || len(lists[0]) != 3 {
			t.Errorf("refused at %d: %v, %v, want 3 processes", nth, lists, err)
		}
	}
}

// One job that cannot be listed takes nothing from the others.
func TestNode_ClosedJob_OthersAreListed(t *testing.T) {
	m := newMachine(t)
	m.placeMany(container, 3)
	closed, err := jobobject.Open(otherJob, jobobject.OpenOptions{Kernel: m.Kernel})
	if err != nil {
		t.Fatal(err)
	}
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	lists, err := stats.NewNode(m.Kernel).Processes(context.Background(), []*jobobject.Job{closed, m.open(container)})
	if !errors.Is(err, jobobject.ErrClosed) || lists[0] != nil || len(lists[1]) != 3 {
		t.Errorf("lists = %v, %v", lists, err)
	}
}

// A process as the kernel reports it.
func TestCollector_Processes_HaveEveryField(t *testing.T) {
	m := newMachine(t)
	m.Advance(1)
	p, err := m.Place(container, `C:\bin\tool.exe`, 77)
	if err != nil {
		t.Fatal(err)
	}
	p.PrivateWorkingSet(100)
	p.Commit(200)
	p.Use(3, 2, 9)
	counting := func() *stats.Collector {
		return stats.NewSiloCollector(containerID, stats.NamedOptions{Kernel: m.Kernel, Now: m.Now, CountHandles: true})
	}
	list, err := counting().Processes(context.Background())
	if err != nil || len(list) != 1 {
		t.Fatalf("processes = %v, %v", list, err)
	}
	got := list[0]
	want := stats.Process{
		Pid: p.Pid(), Parent: 77, Image: "tool.exe", Created: m.Now(), User: 3, Kernel: 2,
		Commit: 200, WorkingSet: got.WorkingSet, PrivateWorkingSet: 100, SharedWorkingSet: got.WorkingSet - 100, PageFaults: 9,
		Handles: got.Handles, Known: process.Known &^ stats.KnownThreads,
	}
	if diff := cmp.Diff(want, got); diff != "" || got.Handles == 0 || got.WorkingSet <= 100 {
		t.Errorf("process (-want +got):\n%s", diff)
	}
	for call, lost := range map[string]stats.ProcessFields{
		"ProcessMemory": stats.KnownMemory | stats.KnownPrivate, "ProcessTimes": stats.KnownTimes, "ProcessImage": stats.KnownImage,
		"ProcessParent": stats.KnownParent, "ProcessHandles": stats.KnownHandles,
	} {
		m.Fail(call, 1, jobobject.ErrNotSupported)
		list, err := counting().Processes(context.Background())
		if err != nil || len(list) != 1 || list[0].Known != want.Known&^lost {
			t.Errorf("with %s refused: %+v, %v", call, list, err)
		}
	}
}
