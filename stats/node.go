package stats

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/siloshim/siloshim/jobobject"
)

// Node lists the processes of many containers of a machine at once. Keep one for the machine: it uses its buffers again
// from one list to the next. It is not safe for concurrent use, and needs no release.
type Node struct {
	kernel        jobobject.Kernel
	before, after []jobobject.SystemProcess
	pids          []uint32
}

// NewNode makes a node. A nil k is [jobobject.System].
func NewNode(k jobobject.Kernel) *Node { return &Node{kernel: k} }

// Processes lists the members of each job, by pid, in 2 + len(jobs) kernel calls for any number of processes: the
// processes of the machine, the pids of each job, and the processes of the machine again. A process that both lists of
// the machine have, with one pid and one time of creation, ran while the jobs were listed. So a pid in a job's list is
// that process, and no process has to be opened. A process that was created or exited meanwhile is left out.
//
// If the kernel refuses the list of the machine, each job is queried on its own. The error joins those of the jobs that
// could not be listed; their lists are nil, and the others are complete. The end of ctx is noticed between kernel calls.
func (n *Node) Processes(ctx context.Context, jobs []*jobobject.Job) ([][]Process, error) {
	lists := make([][]Process, len(jobs))
	pids := make([][]uint32, len(jobs))
	var errs []error
	var err error
	if n.before, err = jobobject.SystemProcesses(n.kernel, n.before[:0]); err != nil {
		return eachAlone(ctx, jobs)
	}
	for i, job := range jobs {
		if ctx.Err() != nil {
			return make([][]Process, len(jobs)), fmt.Errorf("list processes of job %d of %d: %w", i+1, len(jobs), context.Cause(ctx))
		}
		listed, err := job.AppendPids(slices.Grow(n.pids[:0], 64))
		n.pids = listed
		if err != nil {
			errs = append(errs, err)
			continue
		}
		pids[i] = slices.Clone(listed)
		lists[i] = make([]Process, 0, len(listed))
	}
	if n.after, err = jobobject.SystemProcesses(n.kernel, n.after[:0]); err != nil {
		return eachAlone(ctx, jobs)
	}
	steady := steadyProcesses(n.before, n.after)
	for i := range jobs {
		for _, pid := range pids[i] {
			if p, ok := steady[pid]; ok {
				lists[i] = append(lists[i], fromSystem(p))
			}
		}
		sortByPid(lists[i])
	}
	return lists, errors.Join(errs...)
}

// steadyProcesses are those of after that are also in before.
func steadyProcesses(before, after []jobobject.SystemProcess) map[uint32]*jobobject.SystemProcess {
	created := make(map[uint32]time.Time, len(before))
	for i := range before {
		created[before[i].Pid] = before[i].Times.Created
	}
	steady := make(map[uint32]*jobobject.SystemProcess, len(after))
	for i := range after {
		p := &after[i]
		if since, ok := created[p.Pid]; ok && since.Equal(p.Times.Created) {
			steady[p.Pid] = p
		}
	}
	return steady
}

func fromSystem(s *jobobject.SystemProcess) Process {
	p := Process{
		Pid: s.Pid, Parent: s.Parent, Image: s.Image, Threads: s.Threads, Handles: s.Handles,
		Known: KnownImage | KnownParent | KnownThreads | KnownHandles,
	}
	p.setMemory(s.Memory)
	p.setTimes(s.Times)
	return p
}

// eachAlone queries job by job.
func eachAlone(ctx context.Context, jobs []*jobobject.Job) ([][]Process, error) {
	lists := make([][]Process, len(jobs))
	var errs []error
	for i, job := range jobs {
		list, err := NewCollector(job, Options{CountHandles: true}).Processes(ctx)
		if err != nil {
			errs = append(errs, fmt.Errorf("list processes of job %d of %d: %w", i+1, len(jobs), err))
		}
		lists[i] = list
	}
	return lists, errors.Join(errs...)
}

func sortByPid(list []Process) {
	slices.SortFunc(list, func(a, b Process) int { return cmp.Compare(a.Pid, b.Pid) })
}
