package command

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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

func TestDifferences_Snapshots_NewThenGone(t *testing.T) {
	before := snapshot{"a": at(map[uint32]int64{4: 1, 8: 1}), "gone": at(map[uint32]int64{12: 1})}
	now := snapshot{"a": at(map[uint32]int64{4: 1, 8: 2, 16: 2}), "new": at(map[uint32]int64{20: 2})}
	var got []string
	for _, e := range differences(before, now, time.Unix(3, 0)) {
		got = append(got, fmt.Sprint(e.Event, " ", e.Container, " ", e.Pid))
	}
	// Process 8 ended and its pid went to another one.
	want := []string{
		"process-started a 8", "process-started a 16", "container-appeared new 0", "process-started new 20",
		"process-ended a 8", "process-ended gone 12", "container-gone gone 0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if same := differences(now, now, time.Unix(4, 0)); len(same) != 0 {
		t.Errorf("the same snapshot twice: %v", same)
	}
}
