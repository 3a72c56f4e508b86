package command

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/container/podinfo"
	"github.com/siloshim/siloshim/jobobject"
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
and the states of containers of silo run, whose changes are also reported between two intervals. A container that is gone is reported with its exit. One that a restart policy starts
again is reported as restarting, with its last exit, and as restarted, with the number of restarts. A process that started and
ended between two lists is not reported; the events of containerd are complete (ctr events).

The fields of --format are
  ` + wrapped(fieldNames(eventFields), 110) + `.`,
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

	Pod *podinfo.Pod `json:"pod,omitempty"`
}

var eventFields = append([]field[event]{
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
}, podFields(func(e *event) *podinfo.Pod { return e.Pod })...)

// seen is a container at one time, with its processes.
type seen struct {
	node.Container
	processes map[processKey]stats.Process
	members   *members // from before its processes were listed; nil if unknown
}

// changesTogether is how long a change of the records waits for others: a start makes several. It also bounds the lists
// while logs beside the records are rotated quickly.
const changesTogether = 100 * time.Millisecond

// members are what a job says about its members. While the counts stay, none has started or ended.
type members struct {
	total, active uint32
	// These differ where the job has been made anew.
	pids []uint32
	used time.Duration
}

// since reports whether no member has started or ended since was.
func (m *members) since(was *members) bool {
	return was != nil && m.total == was.total && m.active == was.active && m.used >= was.used && slices.Equal(m.pids, was.pids)
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
	watch := a.Node.Watch()
	defer watch.Close()
	var before snapshot
	for n := 1; ; n++ {
		now, err := a.snapshot(ctx, o, watch, before)
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
		case <-watch.Changed():
			n-- // a list between two intervals
			if a.pauseFor(ctx, min(interval, changesTogether)) != nil {
				return nil
			}
		}
	}
}

// snapshot looks at the containers. The processes of those whose members are as before are not listed again.
func (a *App) snapshot(ctx context.Context, o *observer, watch *node.Watch, before snapshot) (snapshot, error) {
	list, err := watch.All()
	if err != nil {
		return nil, err
	}
	s := snapshot{}
	var changed []node.Container
	for _, c := range list {
		now := seen{Container: c}
		if c.Living() {
			was, known := before[c.Name()]
			now.members, err = a.members(c)
			switch {
			case errors.Is(err, jobobject.ErrNotExist): // it has not started, or has just ended
			case err == nil && known && now.members.since(was.members) && !another(was, now):
				now.processes = was.processes
			default:
				changed = append(changed, c)
			}
		}
		s[c.Name()] = now
	}
	if len(changed) == 0 {
		return s, nil
	}
	lists, err := o.members(ctx, changed)
	if err != nil {
		return nil, err
	}
	for i, c := range changed {
		now := s[c.Name()]
		now.processes = map[processKey]stats.Process{}
		for _, p := range lists[i] {
			now.processes[processKey{p.Pid, p.Created}] = p
		}
		s[c.Name()] = now
	}
	return s, nil
}

// members queries the job of a container.
func (a *App) members(c node.Container) (*members, error) {
	job, err := c.Open(jobobject.AccessQuery, a.Kernel)
	if err != nil {
		return nil, err
	}
	accounting, err := job.Accounting()
	pids, listErr := job.Pids()
	if err = errors.Join(err, listErr, job.Close()); err != nil {
		return nil, err
	}
	return &members{accounting.Total, accounting.Active, pids, accounting.UserTime + accounting.KernelTime}, nil
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
	if e.Pod != nil {
		text += " pod " + e.Pod.Namespace + "/" + e.Pod.Name
	}
	if e.Pod != nil && e.Pod.Container != "" {
		text += " container " + e.Pod.Container
	}
	return text
}
