package main

import (
	"context"
	"fmt"
	"time"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/stats"
)

// algorithm takes a sample of a container. It returns the sum of the private working sets, so that the results of the
// algorithms can be compared.
type algorithm struct {
	name   string
	sample func() (private uint64, err error)
}

// algorithms are the compared algorithms, for the container with this open job and its name.
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

// queryJob queries the statistics of a job. The kernel may refuse memory and storage.
func queryJob(k *counting, job jobobject.Handle) error {
	_, _ = k.MemoryUsage(job)
	_, _ = k.IOAttribution(job)
	_, err := k.Accounting(job)
	return err
}

// reference is the algorithm of the reference shim: it opens the job, checks whether it is a silo, lists the members twice
// (the first time for their number), and opens, checks, queries and closes each.
func reference(k *counting, name string) (sum uint64, err error) {
	job, err := k.OpenJob(name, jobobject.AccessAll)
	if err != nil {
		return 0, err
	}
	defer k.CloseHandle(job) //nolint:errcheck // it was only queried
	_, _ = k.Silo(job)       // a plain job is not a silo
	if err := queryJob(k, job); err != nil {
		return 0, err
	}
	pids, err := list(k, job)
	if err != nil {
		return 0, err
	}
	for _, pid := range pids {
		private, err := query(k, job, pid)
		if err != nil {
			return 0, err
		}
		sum += private
	}
	return sum, nil
}

// list queries the number of members and then the members.
func list(k *counting, job jobobject.Handle) ([]uint32, error) {
	_, assigned, err := k.ProcessIDs(job, make([]uint32, 1))
	if err != nil {
		return nil, err
	}
	pids := make([]uint32, assigned)
	listed, _, err := k.ProcessIDs(job, pids)
	return pids[:listed], err
}

// query opens a process for one query.
func query(k *counting, job jobobject.Handle, pid uint32) (uint64, error) {
	process, err := k.OpenProcess(pid, jobobject.ProcessQueryLimited)
	if err != nil {
		return 0, err
	}
	defer k.CloseHandle(process) //nolint:errcheck // it was only queried
	if in, err := k.IsProcessInJob(process, job); err != nil || !in {
		return 0, err
	}
	m, err := k.ProcessMemory(process)
	return m.PrivateWorkingSet, err
}

// machineWide lists the processes of the machine and selects the members.
func machineWide(k *counting, name string) (sum uint64, err error) {
	job, err := k.OpenJob(name, jobobject.AccessQuery)
	if err != nil {
		return 0, err
	}
	defer k.CloseHandle(job) //nolint:errcheck // it was only queried
	if err := queryJob(k, job); err != nil {
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
