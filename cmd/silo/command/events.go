package command

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/stats"
)

func (a *App) eventsCommand() *cobra.Command {
	var interval time.Duration
	var count int
	var format string
	c := &cobra.Command{
		Use:   "events",
		Short: "Report changes in the containers of this machine",
		Long: `Events lists all containers at an interval and reports the differences: containers and processes that appeared or ended,
and the states of containers of silo run. A container that is gone is reported with its exit. One that a restart policy starts
again is reported as restarting, with its last exit, and as restarted, with the number of restarts. A process that started and
ended between two lists is not reported; the events of containerd are complete (ctr events).

The fields of --format are ` + fieldNames(eventFields) + `.`,
		Example: "  silo events\n  silo events -o json\n  silo events --format \"{{.Time}} {{.Event}} {{.Container}}\"",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return a.events(c.Context(), interval, count, format) },
	}
	c.Flags().DurationVar(&interval, "interval", time.Second, "time between two lists")
	c.Flags().IntVar(&count, "count", 0, "number of lists; 0 is unlimited")
	c.Flags().StringVar(&format, "format", "", formatUsage)
	return c
}

// event is one difference between two lists.
type event struct {
	Time      time.Time `json:"time"`
	Event     string    `json:"event"` // of a container as listed below, or process-started or process-ended
	Container string    `json:"container"`
	Pid       uint32    `json:"pid,omitempty"`
	Image     string    `json:"image,omitempty"`
	Code      *uint32   `json:"exit_code,omitempty"`
	Reason    string    `json:"reason,omitempty"` // of the exit
	Restarts  int       `json:"restarts,omitempty"`
}

var eventFields = []field[event]{
	{"Time", func(e *event) any { return e.Time.Format(time.RFC3339) }},
	{"Event", func(e *event) any { return e.Event }},
	{"Container", func(e *event) any { return e.Container }},
	{"Pid", func(e *event) any { return e.Pid }},
	{"Image", func(e *event) any { return e.Image }},
	{"ExitCode", func(e *event) any {
		if e.Code == nil {
			return none
		}
		return *e.Code
	}},
	{"Reason", func(e *event) any { return e.Reason }},
	{"Restarts", func(e *event) any { return e.Restarts }},
}

// seen is a container at one time, with its processes.
type seen struct {
	node.Container
	processes map[processKey]stats.Process
}

// snapshot has each container at one time, by name.
type snapshot map[string]seen

func (a *App) events(ctx context.Context, interval time.Duration, count int, format string) error {
	if interval <= 0 {
		return fmt.Errorf("--interval must be more than 0")
	}
	printEvent, err := a.eventPrinter(format)
	if err != nil {
		return err
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
				if err := printEvent(e); err != nil {
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
	list, err := a.Node.All()
	if err != nil {
		return nil, err
	}
	s := snapshot{}
	living := []node.Container{}
	for _, c := range list {
		s[c.Name()] = seen{Container: c}
		if c.Living() {
			living = append(living, c)
		}
	}
	lists, err := o.processes(ctx, living)
	if err != nil {
		return nil, err
	}
	for i, c := range living {
		processes := map[processKey]stats.Process{}
		for _, p := range lists[i] {
			processes[processKey{p.Pid, p.Created}] = p
		}
		s[c.Name()] = seen{c, processes}
	}
	return s, nil
}

// eventPrinter returns the function that prints an event as --format and --output say.
func (a *App) eventPrinter(format string) (func(event) error, error) {
	switch {
	case format != "" && a.output != asTable:
		return nil, errFormatOutput
	case format != "":
		f, err := newFormatter(format, eventFields)
		return func(e event) error { return f.print(a.Stdout, []event{e}) }, err
	case a.output == asJSON:
		return func(e event) error { return encodeJSON(a.Stdout, e, "") }, nil
	}
	return func(e event) error {
		_, err := fmt.Fprintln(a.Stdout, printable(e.String()))
		return err
	}, nil
}

// String is the line of an event.
func (e event) String() string {
	text := e.Time.Format(time.RFC3339) + " " + e.Event + " " + e.Container
	if e.Pid != 0 {
		text += fmt.Sprintf(" %d %s", e.Pid, e.Image)
	}
	if e.Restarts != 0 {
		text += fmt.Sprintf(" restarts %d", e.Restarts)
	}
	if e.Reason != "" {
		text += " " + e.Reason
	}
	if e.Code != nil {
		text += fmt.Sprintf(" (%s)", codeText(*e.Code))
	}
	return text
}
