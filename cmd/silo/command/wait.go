package command

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/jobobject"
)

func (a *App) waitCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "wait container...",
		Short: "Wait until containers have exited and print their exit codes",
		Long: `Wait prints a line for each container, as docker wait does: the exit code of a container of silo run, also of one that
has exited before, and "-" for any other container: the shim reports its exit code to containerd. A restart by a policy is
no exit. If a container cannot be waited for the others are, and the exit code is 1.`,
		Example: "  silo wait web",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.eachName(args, func(ref string) (string, error) { return a.wait(c.Context(), ref) })
		},
	}
}

// wait returns the exit code of a container when it has ended, or "-" where it is not known to silo.
func (a *App) wait(ctx context.Context, ref string) (string, error) {
	c, err := a.Node.FindAny(ref)
	if err != nil {
		return "", err
	}
	if c.Living() {
		if err := a.awaitGone(ctx, c); err != nil || c.Namespace != node.Own {
			return none, err
		}
		c, err = a.Node.FindOwn(c.Name())
		if errors.Is(err, node.ErrNotFound) || err == nil && c.Living() && c.Status != node.Lost {
			return none, nil // the record went with it, or it runs again
		}
	}
	switch {
	case err != nil:
		return "", err
	case c.Status == node.Ended:
		return fmt.Sprint(c.Record.Exit.Code), nil
	case c.Error != "":
		return "", fmt.Errorf("wait for %s: %s; silo rm removes it", c.Name(), c.Error)
	}
	return "", fmt.Errorf("wait for %s: the silo that ran it has ended without recording an exit; silo start starts it again", c.Name())
}

// awaitGone waits until a container has ended. One that is just being started may have no record yet.
func (a *App) awaitGone(ctx context.Context, c node.Container) error {
	if c.Namespace == node.Own && c.Error == "" {
		return a.awaitSupervisor(ctx, c)
	}
	return a.awaitEnd(ctx, c)
}

// awaitEnd waits until a container has exited. It keeps processes open and not the job: that has to end with its maker.
func (a *App) awaitEnd(ctx context.Context, c node.Container) error {
	if c.Supervised() {
		return a.awaitExit(ctx, c.Record.Supervisor) // between two starts by a restart policy the job is empty
	}
	for {
		var pids []uint32
		err := a.look(c, jobobject.AccessQuery, func(job *jobobject.Job) (err error) {
			pids, err = job.Pids()
			return err
		})
		if errors.Is(err, node.ErrNotFound) || err == nil && len(pids) == 0 {
			return nil
		}
		if err != nil {
			return err
		}
		if err := a.awaitExit(ctx, pids[0]); err != nil {
			return err
		}
	}
}

// awaitExit waits for the end of one process. It returns at once for one that is gone.
func (a *App) awaitExit(ctx context.Context, pid uint32) (err error) {
	process, err := a.Kernel.OpenProcess(pid, jobobject.ProcessQueryLimited|synchronize)
	if errors.Is(err, jobobject.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open process %d: %w", pid, err)
	}
	defer func() { err = errors.Join(err, a.Kernel.CloseHandle(process)) }()
	exited, stop, err := a.Kernel.WatchExit(process)
	if err != nil {
		return fmt.Errorf("watch process %d: %w", pid, err)
	}
	defer stop()
	select {
	case <-exited:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// synchronize is SYNCHRONIZE of winnt.h, which waiting for a process needs.
const synchronize = jobobject.ProcessAccess(0x00100000)
