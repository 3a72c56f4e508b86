package stats_test

import (
	"context"
	"fmt"
	"math/bits"
	"time"

	"github.com/siloshim/siloshim/stats"
)

// query makes a query and returns who was a member all through it, and who was one at any time.
func (w *world) query(ask func() error) (all, any map[int]*simProcess, err error) {
	clear(w.joined)
	before := map[int]*simProcess{}
	for _, p := range w.alive {
		if p.member {
			before[p.bit] = p
			w.joined[p.bit] = p
		}
	}
	if err := ask(); err != nil {
		return nil, nil, err
	}
	all = map[int]*simProcess{}
	for _, p := range w.alive {
		if before[p.bit] != nil {
			all[p.bit] = p
		}
	}
	return all, w.joined, nil
}

// sample takes the sum apart into those whom it counts.
func (w *world) sample(c *stats.Collector) error {
	var s stats.Sample
	all, any, _ := w.query(func() error {
		s = sampleOf(c, time.Time{})
		return nil
	})
	if q := s.Metrics[stats.MetricPrivateWorkingSet]; q.Quality != stats.Exact {
		return fmt.Errorf("private working set is %s: %w", q.Quality, q.Err)
	}
	for left := s.Memory.PrivateWorkingSet; left != 0; left &= left - 1 {
		if bit := bits.TrailingZeros64(left); any[bit] == nil {
			return fmt.Errorf("sample counts %d, which is no member or counted twice: %#x", bit/bitsApart, s.Memory.PrivateWorkingSet)
		}
	}
	for bit := range all {
		if s.Memory.PrivateWorkingSet&(1<<bit) == 0 {
			return fmt.Errorf("sample misses member %d: %#x", bit/bitsApart, s.Memory.PrivateWorkingSet)
		}
	}
	return nil
}

func (w *world) list(c *stats.Collector) error {
	var list []stats.Process
	all, any, err := w.query(func() (err error) {
		list, err = c.Processes(context.Background())
		return err
	})
	if err != nil {
		return err
	}
	return judge(list, all, any)
}

// lists queries the container and another job at once, and judges the container's list.
func (w *world) lists() error {
	var lists [][]stats.Process
	all, any, err := w.query(func() (err error) {
		lists, err = w.node.Processes(context.Background(), w.jobs)
		return err
	})
	if err != nil {
		return err
	}
	return judge(lists[0], all, any)
}

// judge holds a process list against the truth: each line is a member with its own image, pid and moment of creation.
func judge(list []stats.Process, all, any map[int]*simProcess) error {
	byImage := map[string]*simProcess{}
	for _, p := range any {
		byImage[p.image] = p
	}
	seen := map[string]bool{}
	for _, line := range list {
		p := byImage[line.Image]
		switch {
		case p == nil:
			return fmt.Errorf("the list has %s (%d), which is no member", line.Image, line.Pid)
		case seen[line.Image]:
			return fmt.Errorf("the list has %s twice", line.Image)
		case line.Pid != p.Pid() || line.PrivateWorkingSet != 0 && line.PrivateWorkingSet != 1<<p.bit:
			return fmt.Errorf("the list mixes %s (%d) up with another: %+v", line.Image, p.Pid(), line)
		}
		seen[line.Image] = true
	}
	for _, p := range all {
		if !seen[p.image] {
			return fmt.Errorf("the list misses %s (%d)", p.image, p.Pid())
		}
	}
	return nil
}
