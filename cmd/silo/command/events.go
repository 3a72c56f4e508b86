package command

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/siloshim/siloshim/stats"
)

func (a *App) eventsCommand() *cobra.Command {
	var interval time.Duration
	var count int
	c := &cobra.Command{
		Use:   "events",
		Short: "Report changes in the containers of this machine",
		Long: `Events lists all containers at an interval and reports the differences: containers and processes that appeared or ended.
A process that started and ended between two lists is not reported; the events of containerd are complete (ctr events).`,
		Example: "  silo events\n  silo events -o json",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return a.events(c.Context(), interval, count) },
	}
	c.Flags().DurationVar(&interval, "interval", time.Second, "time between two lists")
	c.Flags().IntVar(&count, "count", 0, "number of lists; 0 is unlimited")
	return c
}

// event is one difference between two lists.
type event struct {
	Time      time.Time `json:"time"`
	Event     string    `json:"event"` // container-appeared, container-gone, process-started or process-ended
	Container string    `json:"container"`
	Pid       uint32    `json:"pid,omitempty"`
	Image     string    `json:"image,omitempty"`
}

// snapshot has the processes of each container at one time.
type snapshot map[string]map[processKey]stats.Process

func (a *App) events(ctx context.Context, interval time.Duration, count int) error {
	if interval <= 0 {
		return fmt.Errorf("--interval must be more than 0")
	}
	tick := time.NewTicker(interval)
	defer tick.Stop()
	o := a.newObserver()
	defer o.retain(nil)
	var before snapshot
	for n := 1; ; n++ {
		now, err := a.snapshot(ctx, o)
		if err != nil {
			return err
		}
		if before != nil {
			for _, e := range differences(before, now, a.Now()) {
				if err := a.printEvent(e); err != nil {
					return err
				}
			}
		}
		before = now
		if n == count {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (a *App) snapshot(ctx context.Context, o *observer) (snapshot, error) {
	list, err := a.Node.Containers()
	if err != nil {
		return nil, err
	}
	lists, err := o.processes(ctx, list)
	if err != nil {
		return nil, err
	}
	s := snapshot{}
	for i, c := range list {
		s[c.Name()] = map[processKey]stats.Process{}
		for _, p := range lists[i] {
			s[c.Name()][processKey{p.Pid, p.Created}] = p
		}
	}
	return s, nil
}

func (a *App) printEvent(e event) error {
	if a.output == asJSON {
		return json.NewEncoder(a.Stdout).Encode(e)
	}
	text := e.Time.Format(time.RFC3339) + " " + e.Event + " " + e.Container
	if e.Pid != 0 {
		text += fmt.Sprintf(" %d %s", e.Pid, e.Image)
	}
	_, err := fmt.Fprintln(a.Stdout, printable(text))
	return err
}

// differences lists what changed between two snapshots: what is new, container by container, then what is gone.
func differences(before, now snapshot, at time.Time) []event {
	var list []event
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if before[name] == nil {
			list = append(list, event{Time: at, Event: "container-appeared", Container: name})
		}
		list = append(list, processEvents("process-started", name, now[name], before[name], at)...)
	}
	for _, name := range slices.Sorted(maps.Keys(before)) {
		list = append(list, processEvents("process-ended", name, before[name], now[name], at)...)
		if now[name] == nil {
			list = append(list, event{Time: at, Event: "container-gone", Container: name})
		}
	}
	return list
}

// processEvents returns an event for each process that is in one list and not in the other, by pid.
func processEvents(kind, container string, in, notIn map[processKey]stats.Process, at time.Time) []event {
	var list []event
	for key, p := range in {
		if _, both := notIn[key]; !both {
			list = append(list, event{Time: at, Event: kind, Container: container, Pid: p.Pid, Image: p.Image})
		}
	}
	slices.SortFunc(list, func(x, y event) int { return cmp.Compare(x.Pid, y.Pid) })
	return list
}
