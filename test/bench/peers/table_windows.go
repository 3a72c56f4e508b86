package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/siloshim/siloshim/test/bench/result"
)

// report writes the medians of both kinds, for test/bench/chart.
func report(w io.Writer, rounds int, reference, ours *kind) error {
	peers := result.Peers{Rounds: rounds}
	for _, f := range ours.figures {
		r, ok := reference.figure(f.name)
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
