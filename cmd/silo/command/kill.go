package command

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/cmd/silo/supervisor"
	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/hostprocess"
	"github.com/siloshim/siloshim/jobobject"
)

func (a *App) killCommand() *cobra.Command {
	var signal string
	var pid, code uint32
	c := &cobra.Command{
		Use:   "kill container...",
		Short: "Terminate containers, or send them a console control event",
		Long: `Kill terminates all processes of a container at once. With --signal it sends a console control event instead, to every
process or to that of --pid, and does not wait; KILL is no event and terminates. An event that a process could not receive is
an error. With --pid alone kill terminates that process. A restart policy of silo run may start the program again; silo stop
prevents that. If a container cannot be killed the others are, and the exit code is 1.`,
		Example: "  silo kill web\n  silo kill --signal ctrl-break --pid 4711 web",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			event, err := parseKill(signal)
			if err != nil {
				return err
			}
			return a.each(args, func(n node.Container) error { return a.killOne(c.Context(), n, event, pid, code) })
		},
	}
	c.Flags().StringVarP(&signal, "signal", "s", "KILL", "KILL, ctrl-c, ctrl-break, ctrl-close, ctrl-logoff or ctrl-shutdown; or SIGINT, SIGTERM, SIGHUP")
	c.Flags().Uint32Var(&pid, "pid", 0, "only this process of the container")
	c.Flags().Uint32Var(&code, "code", container.Killed, "exit code of the processes")
	return c
}

// parseKill reads the signal of kill; nil is SIGKILL.
func parseKill(text string) (*supervisor.Signal, error) {
	if slices.Contains([]string{"KILL", "SIGKILL", "9"}, strings.ToUpper(text)) {
		return nil, nil
	}
	s, err := supervisor.ParseSignal(text)
	if err != nil {
		return nil, fmt.Errorf("--signal: %w", err)
	}
	return &s, nil
}

func (a *App) killOne(ctx context.Context, c node.Container, event *supervisor.Signal, pid, code uint32) error {
	switch {
	case event == nil && pid != 0:
		return node.Terminate(a.Kernel, c.Job, pid, code)
	case event == nil && c.Kind == node.Server:
		return a.terminateServer(ctx, c)
	case event == nil:
		return a.kill(ctx, c, code)
	case pid != 0:
		return node.Signal(a.Kernel, c.Job, pid, jobobject.ConsoleEvent(*event))
	}
	reached, err := a.signalAll(c, *event)
	if err == nil && reached == 0 {
		err = fmt.Errorf("send %v to %s: it has no process", *event, c.Name())
	}
	return err
}

// signalAll sends an event to every member and returns how many have received it. The error names the others, except those
// that have exited.
func (a *App) signalAll(c node.Container, s supervisor.Signal) (reached int, err error) {
	err = a.look(c, jobobject.AccessQuery, func(job *jobobject.Job) error {
		pids, err := job.Pids()
		errs := []error{err}
		for _, pid := range pids {
			err := hostprocess.SignalMember(job, pid, jobobject.ConsoleEvent(s))
			switch {
			case err == nil:
				reached++
			case !errors.Is(err, jobobject.ErrNotExist):
				errs = append(errs, fmt.Errorf("send %v to process %d of %s: %w", s, pid, c.Name(), err))
			}
		}
		return errors.Join(errs...)
	})
	return reached, err
}

func (a *App) terminateServer(ctx context.Context, c node.Container) error {
	system, err := a.Service.Open(ctx, c.System)
	if err != nil {
		return err
	}
	return errors.Join(system.Terminate(ctx), system.Close())
}
