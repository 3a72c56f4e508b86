package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/test/bench/result"
	"github.com/siloshim/siloshim/test/workload"
)

// bin is where the test environment installs executables.
const bin = `C:\silo\bin\`

func main() {
	rounds := flag.Int("rounds", 30, "shims of each kind to measure, in turns")
	nonMembers := flag.Int("others", 300, "other processes in the second half")
	flag.Parse()
	if err := run(context.Background(), *rounds, *nonMembers); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

// run compares the shims on a machine where nothing else runs, and on one with many others.
func run(ctx context.Context, rounds, nonMembers int) error {
	job, err := jobobject.Create(jobobject.Options{KillOnClose: true})
	if err != nil {
		return err
	}
	defer job.Close() //nolint:errcheck // the kernel ends them
	var all result.Report
	for _, others := range []int{0, nonMembers} {
		for range others {
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
		peers, err := compare(ctx, rounds, others)
		if err != nil {
			return err
		}
		all.Peers = append(all.Peers, peers)
	}
	return json.NewEncoder(os.Stdout).Encode(all)
}

// compare measures both shims and the floor in turns.
func compare(ctx context.Context, rounds, others int) (peers result.Peers, err error) {
	dir, err := os.MkdirTemp("", "peers-")
	if err != nil {
		return peers, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	ours := &kind{name: "silo", exe: bin + "containerd-shim-silo-v1.exe", spec: workload.Spec}
	reference := &kind{name: "reference", exe: bin + "containerd-shim-runhcs-v1.exe", spec: layered(dir)}
	floor := &kind{name: "floor"}
	for round := range rounds {
		fmt.Fprintf(os.Stderr, "\r%d others, round %d of %d", others, round+1, rounds)
		if err := measureFloor(ctx, floor); err != nil {
			return peers, fmt.Errorf("floor, round %d: %w", round+1, err)
		}
		for _, k := range []*kind{reference, ours} {
			if err := measure(ctx, k, dir); err != nil {
				return peers, fmt.Errorf("%s, round %d: %w", k.name, round+1, err)
			}
		}
	}
	fmt.Fprintln(os.Stderr)
	return report(rounds, others, reference, ours, floor), nil
}

// report joins the rows of the kinds.
func report(rounds, others int, reference, ours, floor *kind) result.Peers {
	peers := result.Peers{Rounds: rounds, Others: others}
	for _, f := range ours.rows {
		r, ok := reference.row(f.name)
		if !ok {
			continue
		}
		joined := result.Row{
			Name: f.name, Unit: f.unit, Reference: result.Quartiles(r.samples), Ours: result.Quartiles(f.samples),
			By: goals[f.name].by, Goal: goals[f.name].at, More: f.unit == "MB/s",
		}
		if r, ok = floor.row(f.name); ok {
			joined.Floor = result.Quartiles(r.samples)
		}
		peers.Rows = append(peers.Rows, joined)
	}
	for _, k := range []*kind{reference, ours} {
		for _, err := range k.hung {
			peers.Hung = append(peers.Hung, fmt.Sprintf("%s: %v", k.name, err))
		}
	}
	return peers
}
