package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/test/bench/result"
	"github.com/siloshim/siloshim/test/workload"
)

func main() {
	turns := flag.Int("turns", 30, "samples of each kind")
	flag.Parse()
	if err := run(*turns); err != nil {
		fmt.Fprintln(os.Stderr, "scrape:", err)
		os.Exit(1)
	}
}

// run measures every size of container, first alone and then among processes outside its job.
func run(turns int) error {
	others, err := jobobject.Create(jobobject.Options{KillOnClose: true})
	if err != nil {
		return err
	}
	defer others.Close() //nolint:errcheck // the kernel ends them
	var all []result.Case
	for _, nonMembers := range []int{0, 300} {
		if err := populate(others, nonMembers); err != nil {
			return err
		}
		for _, members := range []int{1, 15, 60} {
			fmt.Fprintf(os.Stderr, "%d processes among %d non-members\n", members, nonMembers)
			cases, err := measure(members, nonMembers, turns)
			if err != nil {
				return err
			}
			all = append(all, cases...)
		}
	}
	return json.NewEncoder(os.Stdout).Encode(result.Report{Scrape: all})
}

// populate starts n processes in a job.
func populate(job *jobobject.Job, n int) error {
	for range n {
		p, err := job.Start(jobobject.ProcessOptions{
			Application: workload.Payload, CommandLine: workload.Payload + " sleep 3600", Env: os.Environ(),
		})
		if err != nil {
			return err
		}
		if err := p.Close(); err != nil {
			return err
		}
	}
	return nil
}

// measure makes a container and takes samples with each algorithm in turns.
func measure(members, nonMembers, turns int) (cases []result.Case, err error) {
	k := &counting{Kernel: jobobject.System()}
	name := fmt.Sprintf(`\Container_bench-%d-%d-%d`, os.Getpid(), members, nonMembers)
	job, err := jobobject.Create(jobobject.Options{Name: name, KillOnClose: true, Kernel: k})
	if err != nil {
		return nil, err
	}
	defer job.Close() //nolint:errcheck // the kernel ends the members
	if err := populate(job, members); err != nil {
		return nil, err
	}
	all, release, err := algorithms(k, job, name)
	if err != nil {
		return nil, err
	}
	defer release()
	took := make([][]time.Duration, len(all))
	calls := make([]int, len(all))
	for range turns + 1 { // the first turn fills caches and is not measured
		for i, a := range all {
			k.calls = 0
			began := time.Now()
			if _, err := a.sample(); err != nil {
				return nil, fmt.Errorf("%s of %d processes: %w", a.name, members, err)
			}
			took[i], calls[i] = append(took[i], time.Since(began)), k.calls
		}
	}
	for i, a := range all {
		s := slices.Sorted(slices.Values(took[i][1:]))
		cases = append(cases, result.Case{
			Algorithm: a.name, Members: members, NonMembers: nonMembers, Calls: calls[i], Median: s[len(s)/2],
		})
	}
	return cases, nil
}
