package command

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/cmd/silo/supervisor"
	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/jobobject"
)

func (a *App) stopCommand() *cobra.Command {
	var grace time.Duration
	var signals string
	c := &cobra.Command{
		Use:   "stop container...",
		Short: "Stop containers, and terminate those that do not exit in time",
		Long: `Stop lets the supervisor of silo run stop its container, with the signals and the grace period of silo run; the program
is not started again. In other containers every process receives the events of --signal, one after the other, and has
--grace to exit after each; then the job is terminated. The Host Compute Service shuts down Windows Server containers.`,
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
	c.Flags().DurationVar(&grace, "grace", 10*time.Second, "time to exit after each event")
	c.Flags().StringVar(&signals, "signal", "ctrl-shutdown", "console control events, one after the other")
	return c
}

// each calls act for every container named and prints those that succeeded. The error has the others.
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
		err := a.awaitEnd(waited, c)
		cancel()
		if err == nil || ctx.Err() != nil {
			return err
		}
	}
	return a.kill(ctx, c, container.Killed)
}

// recordInterval is the time between two reads of the record of a container that is being started.
const recordInterval = 20 * time.Millisecond

// awaitSupervisor waits until the supervisor has stopped its container. A supervisor that is just starting has not written
// the record with its pid yet, and its job is empty.
func (a *App) awaitSupervisor(ctx context.Context, c node.Container) (err error) {
	again := time.NewTicker(recordInterval)
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
	return a.awaitEnd(ctx, c)
}

// signalAll sends an event to every member and returns how many have received it.
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
		return nil // it has exited meanwhile
	}
	return err
}

// shutDown makes the service shut a Windows Server container down, and terminates it where that fails.
func (a *App) shutDown(ctx context.Context, c node.Container, grace time.Duration) error {
	system, err := a.Service.Open(ctx, c.ID)
	if err != nil {
		return err
	}
	defer system.Close() //nolint:errcheck // it was only opened
	waited, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	if err := system.ShutDown(waited); err == nil {
		return nil
	}
	return system.Terminate(ctx)
}

// claim reserves the name of a container of silo run. The context it returns ends with ctx, and on a request to stop the
// container after onStop has returned.
func (a *App) claim(ctx context.Context, name string, onStop func()) (context.Context, func(), error) {
	requested, unlisten, err := node.ListenStop(name)
	if errors.Is(err, jobobject.ErrExist) {
		return nil, nil, fmt.Errorf("start container %s: its name is in use; choose another --name, or run silo stop %s", name, name)
	}
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	go func() { // ends with ctx
		select {
		case <-requested:
			onStop()
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(); unlisten() }, nil
}
