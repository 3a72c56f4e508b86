package command

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/siloshim/siloshim/stats"
)

func (a *App) eventsCommand() *cobra.Command {
	var interval time.Duration
	var count int
	c := &cobra.Command{
		Use:   "events",
		Short: "Tell what happens in the containers of this machine",
		Long: `Events looks at all containers again and again and tells what is different: containers and processes that appeared or
went. What came and went between two looks is not told; the events of containerd are complete (ctr events).`,
		Example: "  silo events\n  silo events -o json",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return a.events(c.Context(), interval, count) },
	}
	c.Flags().DurationVar(&interval, "interval", time.Second, "time between two looks")
	c.Flags().IntVar(&count, "count", 0, "looks to take; 0 is without bound")
	return c
}

// event is one difference between two looks.
type event struct {
	Time      time.Time `json:"time"`
	Event     string    `json:"event"` // container-appeared, container-gone, process-started or process-ended
	Container string    `json:"container"`
	Pid       uint32    `json:"pid,omitempty"`
	Image     string    `json:"image,omitempty"`
}

// scene is what one look saw: the processes of each container.
type scene map[string]map[processKey]stats.Process

func (a *App) events(ctx context.Context, interval time.Duration, count int) error {
	if interval <= 0 {
		return fmt.Errorf("--interval must be above zero")
	}
	tick := time.NewTicker(interval)
	defer tick.Stop()
	o := a.newObserver()
	defer o.retain(nil)
	var before scene
	for n := 1; ; n++ {
		now, err := a.scene(ctx, o)
		if err != nil {
			return err
		}
		if before != nil {
			for _, e := range differences(before, now, a.Now()) {
				if err := a.tell(e); err != nil {
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

func (a *App) scene(ctx context.Context, o *observer) (scene, error) {
	list, err := a.Node.Containers()
	if err != nil {
		return nil, err
	}
	lists, err := o.processes(ctx, list)
	if err != nil {
		return nil, err
	}
	s := scene{}
	for i, c := range list {
		s[c.Name()] = map[processKey]stats.Process{}
		for _, p := range lists[i] {
			s[c.Name()][processKey{p.Pid, p.Created}] = p
		}
	}
	return s, nil
}

func (a *App) tell(e event) error {
	if a.output == asJSON {
		return json.NewEncoder(a.Stdout).Encode(e)
	}
	text := e.Time.Format(time.RFC3339) + " " + e.Event + " " + e.Container
	if e.Pid != 0 {
		text += fmt.Sprintf(" %d %s", e.Pid, e.Image)
	}
	_, err := fmt.Fprintln(a.Stdout, text)
	return err
}
