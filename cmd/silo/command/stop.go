package command

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/cmd/silo/supervisor"
	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/jobobject"
)

// stopFlags are the flags of stop.
type stopFlags struct {
	grace   duration
	signals string
}

func (a *App) stopCommand() *cobra.Command {
	f := stopFlags{grace: duration(10 * time.Second)}
	c := &cobra.Command{
		Use:   "stop container...",
		Short: "Stop containers, and terminate those that do not exit in time",
		Long: `Stop makes the supervisor of silo run stop its container. The program receives the events of --stop-signal, or of
--signal, and is not started again. In other containers every process receives the events of --signal. After each event the
processes have --grace to exit; then the job is terminated. The Host Compute Service shuts down Windows Server containers of
others. To stop a container that has exited is a success. If a container cannot be stopped the others are, and the exit code
is 1.`,
		Example: "  silo stop web\n  silo stop -t 30 --signal ctrl-break default/web",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := f.stopping(c.Flags())
			if err != nil {
				return err
			}
			return a.eachName(args, func(ref string) (string, error) { return a.stop(c.Context(), ref, s) })
		},
	}
	f.register(c.Flags())
	return c
}

func (f *stopFlags) register(set *pflag.FlagSet) {
	set.VarP(&f.grace, "grace", "t", "time to exit after each event; default for silo run: its --stop-grace")
	set.StringVarP(&f.signals, "signal", "s", "ctrl-shutdown", "console control events, one after the other; default for silo run: its --stop-signal")
	for _, docker := range []string{"time", "timeout"} {
		set.Var(&f.grace, docker, "the same as --grace")
		set.Lookup(docker).Hidden = true
	}
}

// stopping is how to stop a container.
type stopping struct {
	signals []supervisor.Signal
	grace   time.Duration
	request supervisor.Stop // what of it was given, for the supervisor of silo run
}

func (f *stopFlags) stopping(set *pflag.FlagSet) (s stopping, err error) {
	if s.signals, err = supervisor.ParseSignals(f.signals); err != nil {
		return s, fmt.Errorf("--signal: %w", err)
	}
	s.grace = time.Duration(f.grace)
	if set.Changed("signal") {
		s.request.Signals = s.signals
	}
	if set.Changed("grace") || set.Changed("time") || set.Changed("timeout") {
		s.request.Grace = &s.grace
	}
	return s, nil
}

// stop stops the container that ref names, and returns its name.
func (a *App) stop(ctx context.Context, ref string, s stopping) (string, error) {
	c, err := a.Node.Find(ref)
	if errors.Is(err, node.ErrNotFound) {
		if ended, ok := a.Node.Ended(ref); ok {
			return ended.Name(), nil
		}
	}
	if err != nil {
		return "", err
	}
	return c.Name(), a.stopOne(ctx, c, s)
}

func (a *App) stopOne(ctx context.Context, c node.Container, s stopping) error {
	err := error(node.ErrNotFound)
	if c.Namespace == node.Own {
		err = a.requestStop(c.ID, s.request)
	}
	switch {
	case err == nil:
		return a.awaitSupervisor(ctx, c)
	case !errors.Is(err, node.ErrNotFound):
		return err
	case c.Kind == node.Server:
		return a.shutDown(ctx, c, s.grace)
	}
	for _, signal := range s.signals {
		reached, err := a.signalAll(c, signal)
		if err != nil {
			fmt.Fprintf(a.Stderr, "silo: warning: %s\n", printable(oneLine(err)))
		}
		if reached == 0 {
			continue
		}
		waited, cancel := context.WithTimeout(ctx, s.grace)
		err = a.awaitEnd(waited, c)
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
	system, err := a.Service.Open(ctx, c.System)
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
