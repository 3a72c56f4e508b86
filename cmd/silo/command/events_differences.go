package command

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/stats"
)

// The events of containers.
const (
	appeared   = "container-appeared"
	restarting = "container-restarting" // it has ended, and its policy starts it again
	restarted  = "container-restarted"
	gone       = "container-gone"
	removed    = "container-removed" // the record of one that has ended
)

// differences lists what changed between two snapshots: what is new, container by container, then what has ended.
func differences(before, now snapshot, at time.Time) []event {
	now.keepPods(before)
	var list []event
	for _, name := range slices.Sorted(maps.Keys(now)) {
		was, is := before[name], now[name]
		list = append(list, beginnings(was, is, at)...)
		list = append(list, processEvents("process-started", is.Container, is.processes, was.processes, at)...)
	}
	for _, name := range slices.Sorted(maps.Keys(before)) {
		was, is := before[name], now[name]
		list = append(list, processEvents("process-ended", was.Container, was.processes, is.processes, at)...)
		list = append(list, ends(was, is, at)...)
	}
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if is := now[name]; !is.Living() && another(before[name], is) && is.Status == node.Ended {
			list = append(list, is.event(gone, at)) // it began and ended between the two
		}
	}
	return list
}

// keepPods takes over the pods that cannot be read any more: a job exists for a moment longer than its shim has it open.
func (s snapshot) keepPods(before snapshot) {
	for name, c := range s {
		if c.Pod == nil {
			c.Pod = before[name].Pod
			s[name] = c
		}
	}
}

// another reports whether is has another run than was, or was is none.
func another(was, is seen) bool {
	return was.ID == "" || was.Record != nil && is.Record != nil && !was.Record.Started.Equal(is.Record.Started)
}

// beginnings are the events of a container that is new, or that its policy starts again.
func beginnings(was, is seen, at time.Time) (list []event) {
	if another(was, is) || !was.Living() && is.Living() {
		if is.Living() || is.Status == node.Ended {
			list = append(list, event{Time: at, Event: appeared, Container: is.Name(), Pod: is.Pod})
		}
		was = seen{}
	}
	if r := is.Record; r != nil && is.Living() {
		if was.Record != nil && r.Restarts > was.Record.Restarts {
			list = append(list, is.event(restarted, at))
		}
		if is.Status == node.Restarting && (was.Record == nil || was.Status != node.Restarting || r.Restarts > was.Record.Restarts) {
			list = append(list, is.event(restarting, at))
		}
	}
	return list
}

// ends are the events of a container that has ended, or whose record is gone.
func ends(was, is seen, at time.Time) []event {
	switch {
	case was.Living() && another(was, is) && is.ID != "":
		return []event{{Time: at, Event: gone, Container: was.Name(), Pod: was.Pod}} // its exit is lost: it runs again
	case was.Living() && is.ID == "":
		return []event{{Time: at, Event: gone, Container: was.Name(), Pod: was.Pod}}
	case was.Living() && !is.Living():
		return []event{is.event(gone, at)}
	case !was.Living() && is.ID == "":
		return []event{{Time: at, Event: removed, Container: was.Name()}}
	}
	return nil
}

// event is an event with the latest exit.
func (s seen) event(kind string, at time.Time) event {
	e := event{Time: at, Event: kind, Container: s.Name(), Pod: s.Pod}
	if s.Record != nil {
		e.Restarts = s.Record.Restarts
	}
	if last := s.LastExit(); last != nil {
		e.Code, e.Reason = &last.Code, last.Outcome()
	} else if !s.Living() {
		e.Reason = string(s.Status)
	}
	return e
}

// processEvents returns an event for each process that is in one list and not in the other, by pid.
func processEvents(kind string, c node.Container, in, notIn map[processKey]stats.Process, at time.Time) []event {
	var list []event
	for key, p := range in {
		if _, both := notIn[key]; !both {
			list = append(list, event{Time: at, Event: kind, Container: c.Name(), Pid: p.Pid, Image: p.Image, Pod: c.Pod})
		}
	}
	slices.SortFunc(list, func(x, y event) int { return cmp.Compare(x.Pid, y.Pid) })
	return list
}
