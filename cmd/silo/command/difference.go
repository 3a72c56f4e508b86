package command

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/siloshim/siloshim/stats"
)

// differences lists what changed from one look to the next: what is new, container by container, then what is gone.
func differences(before, now scene, at time.Time) []event {
	var list []event
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if before[name] == nil {
			list = append(list, event{Time: at, Event: "container-appeared", Container: name})
		}
		list = append(list, processEvents("process-started", name, now[name], before[name], at)...)
	}
	for _, name := range slices.Sorted(maps.Keys(before)) {
		list = append(list, processEvents("process-ended", name, before[name], now[name], at)...)
		if now[name] == nil {
			list = append(list, event{Time: at, Event: "container-gone", Container: name})
		}
	}
	return list
}

// processEvents tells of the processes that are in one list and not in the other, by pid.
func processEvents(kind, container string, in, notIn map[processKey]stats.Process, at time.Time) []event {
	var list []event
	for key, p := range in {
		if _, both := notIn[key]; !both {
			list = append(list, event{Time: at, Event: kind, Container: container, Pid: p.Pid, Image: p.Image})
		}
	}
	slices.SortFunc(list, func(x, y event) int { return cmp.Compare(x.Pid, y.Pid) })
	return list
}
