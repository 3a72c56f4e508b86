package command

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/siloshim/siloshim/cmd/silo/limit"
	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/jobobject"
)

func (a *App) inspectCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "inspect container...",
		Short: "Show limits, statistics and processes of containers, as JSON",
		Long: `Inspect shows the limits that the kernel reports, the statistics with the source and quality of each, and the
processes. Limits of an outer job also apply and are not shown. For a container of silo run that has exited it shows the
exit code with its meaning, and its reason: the program exited (exited, memory), exited after a stop signal (stopped), or
was terminated (killed, timeout).`,
		Example: "  silo inspect web\n  silo inspect k8s.io/web",
		Args:    cobra.MinimumNArgs(1),
		RunE:    func(c *cobra.Command, args []string) error { return a.inspect(c.Context(), args) },
	}
}

// details are what inspect prints of a running container.
type details struct {
	view
	Limits      []limit.Line    `json:"limits"`
	LimitsError string          `json:"limits_error,omitempty"` // why the kernel did not report them
	Silo        *jobobject.Silo `json:"silo,omitempty"`
	Machine     limit.Machine   `json:"machine"`
}

// past is what inspect prints of a container that has exited.
type past struct {
	node.Container
	Meaning string `json:"exit_meaning,omitempty"`
}

func (a *App) inspect(ctx context.Context, refs []string) error {
	o := a.newObserver()
	defer o.retain(nil)
	all := []any{}
	for _, ref := range refs {
		c, err := a.Node.Find(ref)
		if errors.Is(err, node.ErrNotFound) {
			if c, ended := a.Node.Ended(ref); ended {
				all = append(all, past{c, c.Record.Exit.Meaning()})
				continue
			}
		}
		if err != nil {
			return err
		}
		d, err := a.details(ctx, o, c)
		if err != nil {
			return err
		}
		all = append(all, d)
	}
	return a.showJSON(all)
}

func (a *App) details(ctx context.Context, o *observer, c node.Container) (d details, err error) {
	d.Machine, d.Limits = a.Machine, []limit.Line{}
	if d.view, err = o.sample(ctx, c); err != nil {
		return d, err
	}
	if d.Processes, err = o.collector(c).Processes(ctx); err != nil {
		return d, fmt.Errorf("%s: %w", c.Name(), err)
	}
	err = a.look(c, jobobject.AccessQuery, func(job *jobobject.Job) error {
		if l, err := job.QueryLimits(ctx); err != nil {
			d.LimitsError = err.Error()
		} else {
			d.Limits = append(d.Limits, limit.Describe(l, a.Machine)...)
		}
		switch silo, err := job.Silo(); {
		case err == nil:
			d.Silo = &silo
		case !errors.Is(err, jobobject.ErrNotSilo) && !errors.Is(err, jobobject.ErrNotSupported):
			return fmt.Errorf("%s: %w", c.Name(), err)
		}
		return nil
	})
	return d, err
}
