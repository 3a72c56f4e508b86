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

func (a *App) updateCommand() *cobra.Command {
	f := new(limit.Flags)
	c := &cobra.Command{
		Use:   "update [limits] container",
		Short: "Change the limits of a running container",
		Long: `Update changes the limits that are named, and prints those that the kernel reports afterwards. The value "none" removes
a limit. Memory in use beyond a new limit is not freed: further allocations fail.`,
		Example: "  silo update --memory 1g --cpus 2 web\n  silo update --cpus none web",
		Args:    cobra.ExactArgs(1),
		RunE:    func(c *cobra.Command, args []string) error { return a.update(c.Context(), f, args[0]) },
	}
	f.Register(c.Flags())
	return c
}

func (a *App) update(ctx context.Context, f *limit.Flags, ref string) error {
	if !f.Given() {
		return errors.New("update: no limit to change; silo update --help lists them")
	}
	c, err := a.Node.Find(ref)
	if err != nil {
		return err
	}
	if c.Kind == node.Server {
		return fmt.Errorf("update %s: %w", c.Name(), errServer)
	}
	return a.look(c, jobobject.AccessQuery|jobobject.AccessSetAttributes, func(job *jobobject.Job) error {
		was, err := job.QueryLimits(ctx)
		if err != nil {
			return err
		}
		// The maker of such a job keeps it open to end its members, also where the query does not return that limit.
		was.KillOnClose = was.KillOnClose || c.Kind != node.Attach
		l, err := f.Apply(was, a.Machine)
		if err != nil {
			return err
		}
		if err := job.SetLimits(ctx, l); err != nil {
			return err
		}
		now, err := job.QueryLimits(ctx)
		if err != nil {
			return fmt.Errorf("read back the limits of %s, which were set: %w", c.Name(), err)
		}
		return show(a, limit.Describe(now, a.Machine), limitColumns)
	})
}

var limitColumns = []column[limit.Line]{
	{title: "LIMIT", value: func(l *limit.Line) string { return l.Limit }},
	{title: "VALUE", value: func(l *limit.Line) string { return l.Value }},
	{title: "CALL", wide: true, value: func(l *limit.Line) string { return l.Call }},
}
