package command

import (
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
mount points, network namespaces, accounts and credentials. It also lists the records of containers that have ended. With
--yes it removes all of them, and with a record its output. Containers that run, or may run, are not touched.`,
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

// leftovers are jobs first, as their records go with them.
func (a *App) leftovers(ctx context.Context) ([]leftover, error) {
	list, err := a.Node.Containers()
	if err != nil {
		return nil, err
	}
	found := []leftover{}
	alive := map[string]bool{}
	for _, c := range list {
		if c.Namespace != node.Own {
			continue
		}
		alive[c.ID] = true
		if c.Record == nil || a.lives(c.Record.Supervisor) {
			continue // without a record it may be one that is just being started
		}
		found = append(found, leftover{What: "job", Name: c.Job, Why: "its supervisor is gone", remove: func() error {
			return a.look(c, jobobject.AccessTerminate, func(job *jobobject.Job) error { return job.Terminate(container.Killed) })
		}})
	}
	records, err := a.Node.Records.All()
	if err != nil {
		return nil, err
	}
	for _, r := range records {
		if alive[r.ID] || a.lives(r.Supervisor) {
			continue
		}
		if dir := a.Node.Records.Path(r.ID); r.Kind == node.Server && wcow.Left(dir) {
			found = append(found, a.resources(ctx, node.Own, r.ID, dir, func() error { return a.Node.Records.Remove(r.ID) }))
			continue
		}
		why := "the container has ended"
		if r.Exit == nil {
			why = "its supervisor is gone"
		}
		found = append(found, leftover{What: "record", Name: r.ID, Why: why, remove: func() error { return a.Node.Records.Remove(r.ID) }})
	}
	return found, nil
}

// lives reports whether a supervisor may be alive. A leftover whose pid another process has by now is kept, which does no
// harm.
func (a *App) lives(pid uint32) bool {
	h, err := a.Kernel.OpenProcess(pid, jobobject.ProcessQueryLimited)
	if err != nil {
		return !errors.Is(err, jobobject.ErrNotExist)
	}
	_, exited, err := a.Kernel.ExitCode(h)
	return errors.Join(err, a.Kernel.CloseHandle(h)) != nil || !exited
}

var leftoverColumns = []column[leftover]{
	{title: "WHAT", value: func(l *leftover) string { return l.What }},
	{title: "NAME", value: func(l *leftover) string { return l.Name }},
	{title: "WHY", value: func(l *leftover) string { return l.Why }},
	{title: "REMOVED", value: func(l *leftover) string { return fmt.Sprint(l.Done) }},
}
