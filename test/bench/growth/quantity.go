package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	api "github.com/containerd/containerd/api/runtime/task/v3"

	"github.com/siloshim/siloshim/test/bench/result"
	"github.com/siloshim/siloshim/test/sim"
)

// quantity is what a shim has much of.
type quantity struct {
	name     string
	fill     func(ctx context.Context, s *shim, size int) error
	requests []request
}

// request is what is measured at each size.
type request struct {
	name string
	do   func(ctx context.Context, s *shim) error
}

// mainID is the container that the requests are about.
const mainID = "c"

var quantities = []quantity{
	{"processes of the container", func(ctx context.Context, s *shim, size int) error {
		if err := s.run(ctx, mainID, "family", strconv.Itoa(size)); err != nil {
			return err
		}
		return s.awaitMembers(ctx, size)
	}, []request{{"stats", stats}, {"pids", pids}}},
	{"containers of the shim", func(ctx context.Context, s *shim, size int) error {
		for i := range size - 1 {
			if err := s.run(ctx, fmt.Sprint("other", i), "sleep"); err != nil {
				return err
			}
		}
		return s.run(ctx, mainID, "sleep")
	}, []request{{"stats", stats}, {"exec", exec}, {"create to delete", cycle}, {"kill to its event", killToEvent}}},
	{"execs of the container", func(ctx context.Context, s *shim, size int) error {
		if err := s.run(ctx, mainID, "sleep"); err != nil {
			return err
		}
		for i := range size {
			if err := s.exec(ctx, mainID, fmt.Sprint("other", i), "sleep"); err != nil {
				return err
			}
		}
		return nil
	}, []request{{"stats", stats}, {"exec", exec}}},
}

// at measures all requests on a new shim, and its memory at last.
func (q quantity) at(ctx context.Context, size, turns int) (points []result.Point, err error) {
	before := int64(sim.HeapInUse())
	s := newShim()
	defer func() { err = errors.Join(err, s.end()) }()
	if err := q.fill(ctx, s, size); err != nil {
		return nil, err
	}
	full := int64(sim.HeapInUse())
	for _, r := range q.requests {
		p, err := s.sample(ctx, r, turns)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.name, err)
		}
		p.Size = size
		points = append(points, p)
	}
	return append(points, result.Point{Size: size, Bytes: full - before}), nil
}

// sample does a request some times and takes the median time. The first ones are not counted: Stats lists the members then. The
// calls are the mean: some of a request come after its answer.
func (s *shim) sample(ctx context.Context, r request, turns int) (p result.Point, err error) {
	const warm = 5
	times := make([]float64, turns)
	for i := range warm + turns {
		if i == warm {
			s.Kernel.ResetCalls()
		}
		began := time.Now()
		if err := r.do(ctx, s); err != nil {
			return p, err
		}
		if i >= warm {
			times[i-warm] = float64(time.Since(began))
		}
	}
	sum := 0
	for _, n := range s.Kernel.AllCalls() {
		sum += n
	}
	p.Median = time.Duration(result.Quartiles(times).Median)
	p.Calls = int(math.Round(float64(sum) / float64(turns)))
	return p, nil
}

func stats(ctx context.Context, s *shim) error {
	_, err := s.Stats(ctx, &api.StatsRequest{ID: mainID})
	return err
}

func pids(ctx context.Context, s *shim) error {
	_, err := s.Pids(ctx, &api.PidsRequest{ID: mainID})
	return err
}

// exec runs a program that exits at once, and deletes it.
func exec(ctx context.Context, s *shim) error {
	if err := s.exec(ctx, mainID, "x", "exit", "0"); err != nil {
		return err
	}
	return s.remove(ctx, mainID, "x")
}

// cycle runs a container to its end, and deletes it.
func cycle(ctx context.Context, s *shim) error {
	if err := s.run(ctx, "x", "exit", "0"); err != nil {
		return err
	}
	return s.remove(ctx, "x", "")
}

// killToEvent kills an exec of the container, and waits for the event of its exit.
func killToEvent(ctx context.Context, s *shim) error {
	if err := s.exec(ctx, mainID, "x", "sleep"); err != nil {
		return err
	}
	exited := s.awaitExit("x")
	if _, err := s.Kill(ctx, &api.KillRequest{ID: mainID, ExecID: "x", Signal: 9}); err != nil {
		return err
	}
	select {
	case <-exited:
	case <-ctx.Done():
		return ctx.Err()
	}
	return s.remove(ctx, mainID, "x")
}
