package command

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/container/podinfo"
	"github.com/siloshim/siloshim/stats"
)

// at makes the processes of a container, each with the second of its creation.
func at(list map[uint32]int64) map[processKey]stats.Process {
	processes := map[processKey]stats.Process{}
	for pid, second := range list {
		created := time.Unix(second, 0)
		processes[processKey{pid, created}] = stats.Process{Pid: pid, Created: created, Image: "app.exe"}
	}
	return processes
}

func living(id string, processes map[processKey]stats.Process) seen {
	return seen{Container: node.Container{Namespace: "b", ID: id, Status: node.Running}, processes: processes}
}

func TestDifferences_States_ExitsAndRestarts(t *testing.T) {
	type r = node.Record
	exit, killed := &node.Exit{Code: 3, Reason: "exited"}, &node.Exit{Code: 137, Reason: "exited"}
	first, second := time.Unix(1, 0), time.Unix(2, 0)
	for _, tt := range []struct {
		name        string
		was, is     node.Status // "" is none
		before, now r
		want        []string
	}{
		{"starts", "", node.Starting, r{}, r{}, []string{"container-appeared"}},
		{"runs on", node.Running, node.Running, r{}, r{}, nil},
		{"has started", node.Starting, node.Running, r{}, r{}, nil},
		{"exits", node.Running, node.Ended, r{}, r{Exit: exit}, []string{"container-gone exited (3)"}},
		{"is killed", node.Running, node.Ended, r{}, r{Exit: killed}, []string{"container-gone killed (137)"}},
		{"is lost", node.Running, node.Lost, r{}, r{}, []string{"container-gone lost"}},
		{"crashes", node.Running, node.Restarting, r{}, r{LastExit: exit}, []string{"container-restarting exited (3)"}},
		{"is started again", node.Restarting, node.Running, r{LastExit: exit}, r{LastExit: exit, Restarts: 1}, []string{"container-restarted restarts 1 exited (3)"}},
		{"crashes twice", node.Restarting, node.Restarting, r{LastExit: exit}, r{LastExit: killed, Restarts: 1},
			[]string{"container-restarted restarts 1 killed (137)", "container-restarting restarts 1 killed (137)"}},
		{"stays crashed", node.Restarting, node.Restarting, r{LastExit: exit}, r{LastExit: exit}, nil},
		{"is removed", node.Ended, "", r{Exit: exit}, r{}, []string{"container-removed"}},
		{"ends without a record", node.Running, "", r{}, r{}, []string{"container-gone"}},
		{"runs again", node.Ended, node.Running, r{Exit: exit, Started: first}, r{Started: second}, []string{"container-appeared"}},
		{"was short", "", node.Ended, r{}, r{Exit: exit}, []string{"container-appeared", "container-gone exited (3)"}},
		{"was replaced", node.Running, node.Running, r{Started: first}, r{Started: second}, []string{"container-appeared", "container-gone"}},
		{"cannot be read", node.Ended, node.Unknown, r{Exit: exit}, r{}, nil},
	} {
		make := func(status node.Status, record r) snapshot {
			if status == "" {
				return snapshot{}
			}
			return snapshot{"silo/a": seen{Container: node.Container{Namespace: "silo", ID: "a", Status: status, Record: &record}}}
		}
		var got []string
		for _, e := range differences(make(tt.was, tt.before), make(tt.is, tt.now), time.Unix(0, 0).UTC()) {
			got = append(got, strings.Replace(strings.TrimPrefix(e.String(), "1970-01-01T00:00:00Z "), " silo/a", "", 1))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("it %s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestDifferences_Snapshots_NewThenGone(t *testing.T) {
	before := snapshot{"b/a": living("a", at(map[uint32]int64{4: 1, 8: 1})), "b/gone": living("gone", at(map[uint32]int64{12: 1}))}
	now := snapshot{"b/a": living("a", at(map[uint32]int64{4: 1, 8: 2, 16: 2})), "b/new": living("new", at(map[uint32]int64{20: 2}))}
	var got []string
	for _, e := range differences(before, now, time.Unix(3, 0)) {
		got = append(got, fmt.Sprint(e.Event, " ", e.Container, " ", e.Pid))
	}
	// Process 8 ended and its pid went to another one.
	want := []string{
		"process-started b/a 8", "process-started b/a 16", "container-appeared b/new 0", "process-started b/new 20",
		"process-ended b/a 8", "process-ended b/gone 12", "container-gone b/gone 0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if same := differences(now, now, time.Unix(4, 0)); len(same) != 0 {
		t.Errorf("the same snapshot twice: %v", same)
	}
}

// TestDifferences_PodUnpublishedBeforeJobEnds_EventHasPod: silo itself may keep a job whose shim has closed it.
func TestDifferences_PodUnpublishedBeforeJobEnds_EventHasPod(t *testing.T) {
	pod := &podinfo.Pod{Name: "web", Namespace: "shop", Container: "app"}
	runs, closed := living("a", at(map[uint32]int64{4: 1})), living("a", nil)
	runs.Pod = pod
	var got []string
	looks := []snapshot{{}, {"b/a": runs}, {"b/a": closed}, {}}
	for i, now := range looks[1:] {
		for _, e := range differences(looks[i], now, time.Unix(0, 0).UTC()) {
			got = append(got, e.String())
		}
	}
	var want []string
	for _, event := range []string{"container-appeared b/a", "process-started b/a 4 app.exe", "process-ended b/a 4 app.exe", "container-gone b/a"} {
		want = append(want, "1970-01-01T00:00:00Z "+event+" pod shop/web container app")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}
