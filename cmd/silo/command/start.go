package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/jobobject"
)

func (a *App) startCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "start container...",
		Short: "Start containers of silo run again that have ended",
		Long: `Start runs a container of silo run again that has exited or is lost, as silo run --detach does, with the flags, the
directory and the environment of its run. Silo run stores them, encrypted for its user: only that user can start the
container again. A run without --name or --detach is not stored. The output is added to that of the run before. To start a
container that runs is a success. If a container cannot be started the others are, and the exit code is 1.`,
		Example: "  silo start web",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.eachName(args, func(ref string) (string, error) { return a.start(c.Context(), ref) })
		},
	}
}

func (a *App) restartCommand() *cobra.Command {
	f := stopFlags{grace: duration(10 * time.Second)}
	c := &cobra.Command{
		Use:   "restart container...",
		Short: "Stop containers of silo run and start them again",
		Long: `Restart stops a container of silo run, as silo stop does, and starts it again, as silo start does. A container that has
ended is started. A container without a stored command line is not stopped. If a container cannot be restarted the others
are, and the exit code is 1.`,
		Example: "  silo restart web\n  silo restart -t 30 web",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := f.stopping(c.Flags())
			if err != nil {
				return err
			}
			return a.eachName(args, func(ref string) (string, error) { return a.restart(c.Context(), ref, s) })
		},
	}
	f.register(c.Flags())
	return c
}

func (a *App) start(ctx context.Context, ref string) (string, error) {
	c, err := a.own(ctx, ref)
	if err != nil || c.Living() {
		return c.Name(), err
	}
	l, err := a.launch(c)
	if err != nil {
		return "", err
	}
	return c.Name(), a.startAgain(ctx, c, l)
}

func (a *App) restart(ctx context.Context, ref string, s stopping) (string, error) {
	c, err := a.own(ctx, ref)
	if err != nil {
		return "", err
	}
	l, err := a.launch(c)
	if err != nil {
		return "", err
	}
	if c.Living() {
		if err := a.stopOne(ctx, c, s); err != nil {
			return "", err
		}
	}
	return c.Name(), a.startAgain(ctx, c, l)
}

// launch returns the command line of a container.
func (a *App) launch(c node.Container) (*node.Launch, error) {
	if c.Error != "" {
		return nil, fmt.Errorf("start %s: %s; silo rm removes it", c.Name(), c.Error)
	}
	l, err := a.Node.Records.ReadLaunch(c.ID)
	if errors.Is(err, node.ErrNoLaunch) {
		return nil, fmt.Errorf("start %s: %w: silo run without --name or --detach, silo attach, silo supervise or an earlier release has made it; start its program with silo run", c.Name(), err)
	}
	return l, err
}

// startAgain starts a container that has ended, as silo run --detach does.
func (a *App) startAgain(ctx context.Context, c node.Container, l *node.Launch) error {
	if err := a.awaitEnding(ctx, c); err != nil {
		return err
	}
	if err := a.awaitNoJob(ctx, c); err != nil {
		return err
	}
	silent := *a // it would print the name
	silent.Stdout = io.Discard
	err := silent.detach(ctx, c.ID, append([]string{"--" + keepLogFlag}, l.Args...), l.Dir, l.Env)
	var code exit
	if errors.As(err, &code) {
		return fmt.Errorf("start %s: its silo has ended with exit code %d", c.Name(), uint32(code))
	}
	return err
}

// awaitNoJob waits until the job of a container that has ended is gone: a program that looks at it keeps its name in use. If
// it stays, it is told by the next step.
func (a *App) awaitNoJob(ctx context.Context, c node.Container) error {
	again := time.NewTicker(recordInterval)
	defer again.Stop()
	timeout := time.NewTimer(endingTimeout)
	defer timeout.Stop()
	for {
		err := a.look(c, jobobject.AccessQuery, func(*jobobject.Job) error { return nil })
		if errors.Is(err, node.ErrNotFound) {
			return nil
		}
		select {
		case <-again.C:
		case <-timeout.C:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// storeLaunch stores the command line of a run for silo start. Without it the container can run. A container that is gone
// with its end cannot be started again: its secrets are stored nowhere.
func (a *App) storeLaunch(p *runPlan) {
	if p.typed == nil || p.unnamed && !p.detach {
		return
	}
	args := p.typed
	for len(args) > 0 && (strings.HasPrefix(args[0], "--"+detachedFlag+"=") || args[0] == "--"+keepLogFlag) {
		args = args[1:] // silo itself has added them
	}
	if err := a.Node.Records.WriteLaunch(p.name, &node.Launch{Args: args, Dir: a.Dir, Env: a.Env}); err != nil {
		fmt.Fprintf(a.Stderr, "silo: warning: silo start will not start it again: %v\n", err)
	}
}
