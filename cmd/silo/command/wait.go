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
has exited before, and "-" for any other container: the shim reports its exit code to containerd.`,
		Example: "  silo wait web",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			for _, ref := range args {
				code, err := a.wait(c.Context(), ref)
				if err != nil {
					return err
				}
				fmt.Fprintln(a.Stdout, code)
			}
			return nil
		},
	}
}

func (a *App) wait(ctx context.Context, ref string) (string, error) {
	c, err := a.Node.Find(ref)
	if errors.Is(err, node.ErrNotFound) {
		ended, ok := a.Node.Ended(ref)
		if !ok {
			return "", err
		}
		return fmt.Sprint(ended.Record.Exit.Code), nil
	}
	if err != nil {
		return "", err
	}
	exit, err := a.awaitEnd(ctx, c)
	if err != nil || exit == nil {
		return none, err
	}
	return fmt.Sprint(exit.Code), nil
}

// awaitEnd waits until a container has exited, and returns the exit of its record, if it has one. It keeps processes open
// and not the job: that has to end with its maker.
func (a *App) awaitEnd(ctx context.Context, c node.Container) (*node.Exit, error) {
	for {
		var pids []uint32
		err := a.look(c, jobobject.AccessQuery, func(job *jobobject.Job) (err error) {
			pids, err = job.Pids()
			return err
		})
		if err != nil && !errors.Is(err, node.ErrNotFound) {
			return nil, err
		}
		// Between two starts by a restart policy the job is empty and its supervisor runs.
		if c.Record != nil && c.Record.Supervisor != 0 && err == nil {
			pids = append([]uint32{c.Record.Supervisor}, pids...)
		}
		if len(pids) == 0 {
			break
		}
		if err := a.awaitExit(ctx, pids[0]); err != nil {
			return nil, err
		}
		if c.Record != nil {
			break
		}
	}
	if c.Record == nil {
		return nil, nil
	}
	record, err := a.Node.Records.Read(c.ID)
	if err != nil {
		return nil, nil //nolint:nilerr // a container without a record
	}
	return record.Exit, nil
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
