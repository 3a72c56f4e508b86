package command

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/cmd/silo/supervisor"
	"github.com/siloshim/siloshim/jobobject"
)

func (a *App) stopCommand() *cobra.Command {
	var grace time.Duration
	var signals string
	c := &cobra.Command{
		Use:   "stop container...",
		Short: "Ask containers to end, and end them if they do not",
		Long: `Stop asks the supervisor of a container of silo run, which uses the events and the grace that it was started with, and
does not start the program anew. In other containers every process gets the events of --signal, each with --grace to
answer; then the job is terminated. Windows Server containers are shut down by the Host Compute Service.`,
		Example: "  silo stop web\n  silo stop --signal ctrl-break --grace 30s default/web",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			list, err := supervisor.ParseSignals(signals)
			if err != nil {
				return fmt.Errorf("--signal: %w", err)
			}
			return a.each(args, func(n node.Container) error { return a.stop(c.Context(), n, list, grace) })
		},
	}
	c.Flags().DurationVar(&grace, "grace", 10*time.Second, "time to answer")
	c.Flags().StringVar(&signals, "signal", "ctrl-shutdown", "events, one after the other")
	return c
}

// each does something with every container named, and names those that it could not be done with.
func (a *App) each(refs []string, act func(node.Container) error) error {
	list, err := a.named(refs)
	if err != nil {
		return err
	}
	var errs []error
	for _, c := range list {
		if err := act(c); err != nil {
			errs = append(errs, err)
			continue
		}
		fmt.Fprintln(a.Stdout, c.Name())
	}
	return errors.Join(errs...)
}

func (a *App) stop(ctx context.Context, c node.Container, signals []supervisor.Signal, grace time.Duration) error {
	if c.Kind == node.Server {
		return a.shutDown(ctx, c, grace)
	}
	err := error(node.ErrNotFound)
	if c.Namespace == node.Own {
		err = node.RequestStop(c.ID)
	}
	switch {
	case err == nil:
		return a.awaitSupervisor(ctx, c)
	case !errors.Is(err, node.ErrNotFound):
		return err
	}
	for _, s := range signals {
		if a.signalAll(c, s) == 0 {
			continue
		}
		waited, cancel := context.WithTimeout(ctx, grace)
		_, err := a.awaitEnd(waited, c)
		cancel()
		if err == nil || ctx.Err() != nil {
			return err
		}
	}
	return a.kill(ctx, c, supervisor.Killed)
}

// settling is the time between two looks for the record of a container that is being started.
const settling = 20 * time.Millisecond

// awaitSupervisor waits until the container is gone whose supervisor has been asked to stop it. One that is just starting
// it has not written down yet whom to wait for, and its job is empty.
func (a *App) awaitSupervisor(ctx context.Context, c node.Container) (err error) {
	again := time.NewTicker(settling)
	defer again.Stop()
	for c.Record == nil {
		select {
		case <-again.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		c, err = a.Node.Find(node.Own + "/" + c.ID)
		if errors.Is(err, node.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	_, err = a.awaitEnd(ctx, c)
	return err
}

// signalAll raises an event in every member and tells in how many.
func (a *App) signalAll(c node.Container, s supervisor.Signal) (reached int) {
	var pids []uint32
	err := a.look(c, jobobject.AccessQuery, func(job *jobobject.Job) (err error) {
		pids, err = job.Pids()
		return err
	})
	if err != nil {
		return 0
	}
	for _, pid := range pids {
		if node.Signal(a.Kernel, c.Job, pid, jobobject.ConsoleEvent(s)) == nil {
			reached++
		}
	}
	return reached
}

// kill terminates the job and waits until its members are gone.
func (a *App) kill(ctx context.Context, c node.Container, code uint32) error {
	err := a.look(c, jobobject.AccessTerminate|jobobject.AccessQuery, func(job *jobobject.Job) error {
		if err := job.Terminate(code); err != nil {
			return err
		}
		return job.WaitEmpty(ctx)
	})
	if errors.Is(err, node.ErrNotFound) {
		return nil // it was faster
	}
	return err
}

// shutDown asks the service to end a Windows Server container, and terminates it when it does not.
func (a *App) shutDown(ctx context.Context, c node.Container, grace time.Duration) error {
	system, err := a.Service.Open(ctx, c.ID)
	if err != nil {
		return err
	}
	defer system.Close() //nolint:errcheck // it is not ours, only opened
	waited, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	if err := system.ShutDown(waited); err == nil {
		return nil
	}
	return system.Terminate(ctx)
}
