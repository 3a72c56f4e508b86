package main

import (
	"context"
	"fmt"
	"time"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/stats"
)

// algorithm takes one sample of a container and returns the sum of its private working sets, so that no two of them can
// differ in what they find.
type algorithm struct {
	name   string
	sample func() (private uint64, err error)
}

// algorithms are those that are compared, for the container whose job is open and named.
func algorithms(k *counting, job *jobobject.Job, name string) ([]algorithm, func(), error) {
	warm := stats.NewCollector(job, stats.Options{KeepHandles: true})
	cold := stats.NewCollector(job, stats.Options{})
	bare, err := newBare(k, name)
	if err != nil {
		return nil, nil, err
	}
	of := func(c *stats.Collector) func() (uint64, error) {
		return func() (uint64, error) {
			s, err := c.Sample(context.Background(), time.Time{})
			if err != nil {
				return 0, err
			}
			if !s.Has(stats.MetricPrivateWorkingSet) {
				return 0, fmt.Errorf("no private working set: %w", s.Metrics[stats.MetricPrivateWorkingSet].Err)
			}
			return s.Memory.PrivateWorkingSet, nil
		}
	}
	return []algorithm{
			{"reference", func() (uint64, error) { return reference(k, name) }},
			{"machine-wide", func() (uint64, error) { return machineWide(k, name) }},
			{"ours, cold", of(cold)},
			{"ours, warm", of(warm)},
			{"bare loop", bare.sample},
		}, func() {
			warm.Release()
			cold.Release()
			bare.close()
		}, nil
}

// jobFigures asks a job for what it counts itself. Memory and storage may be refused.
func jobFigures(k *counting, job jobobject.Handle) error {
	_, _ = k.MemoryUsage(job)
	_, _ = k.IOAttribution(job)
	_, err := k.Accounting(job)
	return err
}

// reference does what the reference shim does: it opens the job, asks whether it is a silo, lists the members twice (the
// first time for their number), and opens, checks, asks and closes each.
func reference(k *counting, name string) (sum uint64, err error) {
	job, err := k.OpenJob(name, jobobject.AccessAll)
	if err != nil {
		return 0, err
	}
	defer k.CloseHandle(job) //nolint:errcheck // it was only asked
	_, _ = k.Silo(job)       // a bare job is none
	if err := jobFigures(k, job); err != nil {
		return 0, err
	}
	pids, err := list(k, job)
	if err != nil {
		return 0, err
	}
	for _, pid := range pids {
		private, err := ask(k, job, pid)
		if err != nil {
			return 0, err
		}
		sum += private
	}
	return sum, nil
}

// list asks for the number of members and then for the members.
func list(k *counting, job jobobject.Handle) ([]uint32, error) {
	_, assigned, err := k.ProcessIDs(job, make([]uint32, 1))
	if err != nil {
		return nil, err
	}
	pids := make([]uint32, assigned)
	listed, _, err := k.ProcessIDs(job, pids)
	return pids[:listed], err
}

// ask opens a process for one question.
func ask(k *counting, job jobobject.Handle, pid uint32) (uint64, error) {
	process, err := k.OpenProcess(pid, jobobject.ProcessQueryLimited)
	if err != nil {
		return 0, err
	}
	defer k.CloseHandle(process) //nolint:errcheck // it was only asked
	if in, err := k.IsProcessInJob(process, job); err != nil || !in {
		return 0, err
	}
	m, err := k.ProcessMemory(process)
	return m.PrivateWorkingSet, err
}

// machineWide lists the processes of the machine and picks out the members.
func machineWide(k *counting, name string) (sum uint64, err error) {
	job, err := k.OpenJob(name, jobobject.AccessQuery)
	if err != nil {
		return 0, err
	}
	defer k.CloseHandle(job) //nolint:errcheck // it was only asked
	if err := jobFigures(k, job); err != nil {
		return 0, err
	}
	pids, err := list(k, job)
	if err != nil {
		return 0, err
	}
	all, err := k.SystemProcesses(nil)
	if err != nil {
		return 0, err
	}
	member := make(map[uint32]bool, len(pids))
	for _, pid := range pids {
		member[pid] = true
	}
	for _, p := range all {
		if member[p.Pid] {
			sum += p.Memory.PrivateWorkingSet
		}
	}
	return sum, nil
}
