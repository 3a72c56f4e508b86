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
		Use:   "update [limits] container...",
		Short: "Change the limits of running containers",
		Long: `Update changes the limits that are named, and prints those that the kernel reports afterwards. The value "none" removes
a limit. Memory in use beyond a new limit is not freed: further allocations fail. If one container cannot be changed, the
others are, and the exit code is not 0.`,
		Example: "  silo update --memory 1g --cpus 2 web\n  silo update --cpus none web db",
		Args:    cobra.MinimumNArgs(1),
		RunE:    func(c *cobra.Command, args []string) error { return a.update(c.Context(), f, args) },
	}
	f.Register(c.Flags())
	return c
}

// updated is a limit of a container after an update.
type updated struct {
	Container string `json:"container"`
	limit.Line
}

func (a *App) update(ctx context.Context, f *limit.Flags, refs []string) error {
	if !f.Given() {
		return errors.New("update: no limit to change; silo update --help lists them")
	}
	rows := []updated{}
	var errs []error
	for _, ref := range refs {
		name, now, err := a.updateOne(ctx, f, ref)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for _, line := range limit.Describe(now, a.Machine) {
			rows = append(rows, updated{name, line})
		}
	}
	if len(refs) > 1 || len(errs) == 0 {
		columns := []column[updated]{{title: "CONTAINER", wide: len(refs) == 1, id: true, value: func(u *updated) string { return u.Container }}}
		for _, c := range limitColumns {
			columns = append(columns, column[updated]{title: c.title, wide: c.wide, value: func(u *updated) string { return c.value(&u.Line) }})
		}
		errs = append(errs, show(a, rows, columns))
	}
	if err := errors.Join(errs...); err != nil && len(refs) > 1 {
		return &failure{1, err}
	}
	return errors.Join(errs...)
}

// updateOne changes the limits of one container, and reads those that are in force afterwards.
func (a *App) updateOne(ctx context.Context, f *limit.Flags, ref string) (name string, now jobobject.Limits, err error) {
	c, err := a.Node.Find(ref)
	if err != nil {
		return "", now, err
	}
	if c.Kind == node.Server {
		return "", now, fmt.Errorf("update %s: %w", c.Name(), errServer)
	}
	err = a.look(c, jobobject.AccessQuery|jobobject.AccessSetAttributes, func(job *jobobject.Job) error {
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
		if now, err = job.QueryLimits(ctx); err != nil {
			return fmt.Errorf("read back the limits, which were set: %w", err)
		}
		return nil
	})
	if err != nil {
		return "", now, fmt.Errorf("update %s: %w", c.Name(), err)
	}
	return c.Name(), now, nil
}

var limitColumns = []column[limit.Line]{
	{title: "LIMIT", value: func(l *limit.Line) string { return l.Limit }},
	{title: "VALUE", value: func(l *limit.Line) string { return l.Value }},
	{title: "CALL", wide: true, value: func(l *limit.Line) string { return l.Call }},
}
