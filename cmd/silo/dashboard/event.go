package dashboard

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/siloshim/siloshim/stats"
)

// event is a change between two looks.
type event struct {
	At        time.Time
	Container string // its name
	Text      string
	Bad       bool   // an exit with an error, a limit that was reached, a refused query
	count     uint64 // of what Text has a %d for; an event that happens again is counted, see joinTime
	process   bool   // about one process, so it is not in the list of the machine
	mark      bool   // an exit or a start, which the plots mark
}

// joinTime is how long an event that happens again is counted instead of listed.
const joinTime = time.Minute

func (e *event) text() string {
	if e.count > 0 {
		return fmt.Sprintf(e.Text, e.count)
	}
	return e.Text
}

// join counts o, which is later, if it is the same as e.
func (e *event) join(o *event) bool {
	if e.count == 0 || e.Text != o.Text || e.Container != o.Container || o.At.Sub(e.At) > joinTime {
		return false
	}
	e.count += o.count
	e.At = o.At
	return true
}

// changes lists what happened to a container between two looks, apart from its processes. An event without a time is of
// the second look.
func changes(was, is *Container) (list []event) {
	bad := func(text string, count uint64) {
		list = append(list, event{Bad: true, Text: text, count: count})
	}
	switch {
	case was.Exit == nil && is.Exit != nil:
		list = append(list, event{At: is.Exit.At, Bad: is.Exit.Code != 0, Text: exitText(is.Exit), mark: true})
	case was.Exit != nil && is.Exit == nil:
		list = append(list, event{Text: "started again", mark: true})
	case is.Restarts > was.Restarts:
		e := event{Text: fmt.Sprintf("restarted, %d so far", is.Restarts), mark: true}
		if is.LastExit != nil {
			e.Text += "; " + exitText(is.LastExit)
			e.Bad = is.LastExit.Code != 0
		}
		list = append(list, e)
	}
	if is.Status != was.Status && is.Status == "restarting" {
		bad("waits for a restart", 0)
	}
	if is.Err != nil && was.Err == nil {
		bad("cannot be sampled: "+printable(is.Err.Error()), 0)
	}
	if is.Exit != nil || is.Err != nil {
		return list
	}
	if a, b := was.Sample.Violations, is.Sample.Violations; is.Sample.Has(stats.MetricViolations) {
		for _, v := range []struct {
			was, is uint64
			text    string
		}{
			{a.Memory, b.Memory, "the memory limit refused %d allocations"},
			{a.Processes, b.Processes, "the limit on processes refused %d"},
			{a.Time, b.Time, "the limit on processor time was reached %d times"},
			{a.Other, b.Other, "%d notification limits were passed"},
		} {
			if v.is > v.was {
				bad(v.text, v.is-v.was)
			}
		}
	}
	if a, b := was.Sample.Processes.Terminated, is.Sample.Processes.Terminated; b > a {
		bad("a limit terminated %d processes", uint64(b-a))
	}
	return list
}

// exitText describes an exit in one line.
func exitText(e *Exit) string {
	text := codeText(e)
	switch e.Reason {
	case "", "exited":
	default:
		text += " (" + printable(e.Reason) + ")"
	}
	if e.Meaning != "" {
		text += ": " + printable(e.Meaning)
	}
	return text
}

// codeText is the exit code as the tools of Windows write it: a status of the system in hexadecimal digits.
func codeText(e *Exit) string {
	if e.Code > 0xFFFF {
		return fmt.Sprintf("exited with code 0x%08X", e.Code)
	}
	return fmt.Sprintf("exited with code %d", e.Code)
}

// processChanges lists the processes that started and ended between two looks, by pid.
func processChanges(was, is []stats.Process) []event {
	var list []event
	for _, d := range []struct {
		in, notIn []stats.Process
		verb      string
	}{{is, was, "started"}, {was, is, "ended"}} {
		other := make(map[processKey]bool, len(d.notIn))
		for _, p := range d.notIn {
			other[processKey{p.Pid, p.Created}] = true
		}
		for _, p := range d.in {
			if !other[processKey{p.Pid, p.Created}] {
				list = append(list, event{Text: fmt.Sprintf("process %d %s %s", p.Pid, image(&p), d.verb), process: true})
			}
		}
	}
	return list
}

// image is the printable name of the program of a process.
func image(p *stats.Process) string {
	if !p.Has(stats.KnownImage) || p.Image == "" {
		return "(unknown)"
	}
	return printable(p.Image)
}

// branch is a process in the tree.
type branch struct {
	*stats.Process
	Depth int
	Last  bool // the last child of its parent
}

// maxDepth bounds the levels that the page indents.
const maxDepth = 8

// tree orders processes so that each follows its parent, with siblings by pid. A process whose parent is no member,
// or is younger than it (the pid was used again), is a root.
func tree(list []stats.Process) []branch {
	byPid := make(map[uint32]*stats.Process, len(list))
	for i := range list {
		byPid[list[i].Pid] = &list[i]
	}
	children := map[uint32][]*stats.Process{}
	var roots []*stats.Process
	for i := range list {
		p := &list[i]
		parent := byPid[p.Parent]
		if !p.Has(stats.KnownParent) || parent == nil || parent == p || parent.Created.After(p.Created) {
			roots = append(roots, p)
			continue
		}
		children[p.Parent] = append(children[p.Parent], p)
	}
	var out []branch
	placed := map[*stats.Process]bool{}
	var place func(level []*stats.Process, depth int)
	place = func(level []*stats.Process, depth int) {
		slices.SortFunc(level, func(a, b *stats.Process) int { return cmp.Compare(a.Pid, b.Pid) })
		for i, p := range level {
			if !placed[p] {
				placed[p] = true
				out = append(out, branch{p, min(depth, maxDepth), i == len(level)-1})
				place(children[p.Pid], depth+1)
			}
		}
	}
	place(roots, 0)
	for i := range list { // two with one time of creation that name each other have no root
		place([]*stats.Process{&list[i]}, 0)
	}
	return out
}

// indent shows the level of a process.
func (b branch) Indent() string {
	if b.Depth == 0 {
		return ""
	}
	corner := "├ "
	if b.Last {
		corner = "└ "
	}
	return strings.Repeat("\u2003", b.Depth-1) + corner
}
