package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/siloshim/siloshim/test/bench/result"
	"github.com/siloshim/siloshim/test/workload"
)

// bin is where the test environment installs executables.
const bin = `C:\silo\bin\`

func main() {
	rounds := flag.Int("rounds", 10, "shims of each kind to measure, in turns")
	flag.Parse()
	if err := compare(context.Background(), *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

// compare measures both shims in turns.
func compare(ctx context.Context, rounds int) error {
	dir, err := os.MkdirTemp("", "peers-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	ours := &kind{name: "silo", exe: bin + "containerd-shim-silo-v1.exe", spec: workload.Spec}
	reference := &kind{name: "reference", exe: bin + "containerd-shim-runhcs-v1.exe", spec: layered(dir)}
	for round := range rounds {
		for _, k := range []*kind{reference, ours} {
			fmt.Fprintf(os.Stderr, "\rround %d of %d: %-10s", round+1, rounds, k.name)
			if err := measure(ctx, k, dir); err != nil {
				return fmt.Errorf("%s, round %d: %w", k.name, round+1, err)
			}
		}
	}
	fmt.Fprintln(os.Stderr)
	return report(os.Stdout, rounds, reference, ours)
}

// report writes the medians of both kinds, for test/bench/chart.
func report(w io.Writer, rounds int, reference, ours *kind) error {
	peers := result.Peers{Rounds: rounds}
	for _, f := range ours.rows {
		r, ok := reference.row(f.name)
		if !ok {
			continue
		}
		peers.Rows = append(peers.Rows, result.Row{
			Name: f.name, Unit: f.unit, Reference: r.median(), Ours: f.median(), Goal: f.goal, More: f.more,
		})
	}
	for _, k := range []*kind{reference, ours} {
		for _, err := range k.hung {
			peers.Hung = append(peers.Hung, fmt.Sprintf("%s: %v", k.name, err))
		}
	}
	return json.NewEncoder(w).Encode(result.Report{Peers: &peers})
}
