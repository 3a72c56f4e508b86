package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/containerd/log"

	"github.com/siloshim/siloshim/test/bench/result"
)

// sizes grow tenfold twice, in equal steps on a logarithmic scale.
var sizes = []int{10, 32, 100, 316, 1000}

func main() {
	turns := flag.Int("turns", 30, "samples of each point")
	flag.Parse()
	log.L.Logger.SetOutput(io.Discard) // the shim's
	growth, err := measure(context.Background(), sizes, *turns)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(result.Report{Growth: growth})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "growth:", err)
		os.Exit(1)
	}
}

// measure measures all curves at all sizes.
func measure(ctx context.Context, sizes []int, turns int) ([]result.Curve, error) {
	var curves []result.Curve
	for _, q := range quantities {
		for _, request := range append(q.requests, request{name: "memory"}) {
			curves = append(curves, result.Curve{Name: request.name, With: q.name})
		}
	}
	if _, err := quantities[0].at(ctx, 1, 1); err != nil { // what is made once is not of a size
		return nil, err
	}
	for _, size := range sizes {
		next := curves
		for _, q := range quantities {
			points, err := q.at(ctx, size, turns)
			if err != nil {
				return nil, fmt.Errorf("%d %s: %w", size, q.name, err)
			}
			fmt.Fprintf(os.Stderr, "growth: %d %s\n", size, q.name)
			for i, p := range points {
				next[i].Points = append(next[i].Points, p)
			}
			next = next[len(points):]
		}
	}
	return curves, nil
}
