package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/cmd/silo/wcow"
	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/jobobject"
)

func (a *App) cleanupCommand() *cobra.Command {
	var yes bool
	var bundles string
	c := &cobra.Command{
		Use:   "cleanup",
		Short: "List what crashed silo and shim processes left behind; --yes removes it",
		Long: `Cleanup lists what crashed silo and shim processes left on this machine: jobs of silo run without a supervisor, layers,
mount points, network namespaces, accounts and credentials. It also lists the records of containers that have exited, are
lost, or cannot be read. With --yes it removes all of them, and with a record the output that is kept beside it. A file that
silo run --log names is kept. Containers that run, or may run, are not touched.`,
		Example: "  silo cleanup\n  silo cleanup --yes",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return a.cleanup(c.Context(), yes, bundles) },
	}
	c.Flags().StringVar(&bundles, "bundles", "", "directory of containerd's bundles; default: that of its default state")
	c.Flags().BoolVar(&yes, "yes", false, "remove what was found")
	return c
}

// leftover is a resource whose owner is gone.
type leftover struct {
	What string `json:"what"`
	Name string `json:"name"`
	Why  string `json:"why"`
	Log  string `json:"log,omitempty"` // a file that is removed with it
	Done bool   `json:"removed"`

	remove func() error
}

func (a *App) cleanup(ctx context.Context, yes bool, bundles string) error {
	found, err := a.leftovers(ctx)
	if err != nil {
		return err
	}
	ours, err := a.deadBundles(ctx, bundles)
	if err != nil {
		return err
	}
	accounts, err := a.deadAccounts()
	if err != nil {
		return err
	}
	found = append(append(found, ours...), accounts...)
	var errs []error
	if yes {
		for i := range found {
			done := a.progress("remove " + found[i].What + " " + found[i].Name)
			err := found[i].remove()
			done()
			found[i].Done = err == nil
			if err != nil {
				errs = append(errs, fmt.Errorf("%s %s: %w", found[i].What, found[i].Name, err))
			}
		}
	}
	errs = append(errs, show(a, found, leftoverColumns))
	if !yes && len(found) > 0 && a.output != asJSON {
		fmt.Fprintln(a.Stderr, "silo: nothing was removed; silo cleanup --yes does")
	}
	return errors.Join(errs...)
}

// leftovers are those of silo run.
func (a *App) leftovers(ctx context.Context) ([]leftover, error) {
	list, err := a.Node.All()
	if err != nil {
		return nil, err
	}
	found := []leftover{}
	for _, c := range list {
		if c.Namespace == node.Own && (c.Status == node.Ended || c.Status == node.Lost || c.Status == node.Unknown && !c.Supervised()) {
			found = append(found, a.leftover(ctx, c))
		}
	}
	return found, nil
}

// leftover is what a container without a supervisor has left. Its record goes after its job. To release the resources of a
// Windows Server container ends it.
func (a *App) leftover(ctx context.Context, c node.Container) leftover {
	if c.Living() && !lostServer(c) {
		return leftover{What: "job", Name: c.Job, Why: "its supervisor is gone", remove: func() error {
			return a.look(c, jobobject.AccessTerminate, func(job *jobobject.Job) error { return job.Terminate(container.Killed) })
		}}
	}
	l := leftover{What: "record", Name: c.ID, Why: "the container has ended", remove: func() error { return a.removeOwn(ctx, c) }}
	switch c.Status {
	case node.Lost:
		l.Why = "its supervisor is gone"
	case node.Unknown:
		l.Why = c.Error
	}
	if wcow.Left(a.Node.Records.Path(c.ID)) {
		l.What, l.Name = "resources", c.Name()
	}
	if c.Record != nil && a.keptLog(c) == "" {
		l.Log = c.Record.Log
	}
	return l
}

var leftoverColumns = []column[leftover]{
	{title: "WHAT", value: func(l *leftover) string { return l.What }},
	{title: "NAME", value: func(l *leftover) string { return l.Name }},
	{title: "WHY", value: func(l *leftover) string { return l.Why }},
	{title: "LOG", value: func(l *leftover) string { return cmp.Or(l.Log, none) }},
	{title: "REMOVED", value: func(l *leftover) string { return fmt.Sprint(l.Done) }},
}
