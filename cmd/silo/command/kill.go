package command

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/cmd/silo/supervisor"
	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/jobobject"
)

func (a *App) killCommand() *cobra.Command {
	var signal string
	var pid, code uint32
	c := &cobra.Command{
		Use:   "kill container...",
		Short: "Terminate containers, or send them a console control event",
		Long: `Kill terminates all processes of a container at once. With --signal it sends a console control event instead, to every
process or to that of --pid, and does not wait. With --pid alone it terminates that process. A restart policy of silo run
may start the program again; silo stop prevents that.`,
		Example: "  silo kill web\n  silo kill --signal ctrl-break --pid 4711 web",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.each(args, func(n node.Container) error { return a.killOne(c.Context(), n, signal, pid, code) })
		},
	}
	c.Flags().StringVarP(&signal, "signal", "s", "", "ctrl-c, ctrl-break, ctrl-close, ctrl-logoff or ctrl-shutdown")
	c.Flags().Uint32Var(&pid, "pid", 0, "only this process of the container")
	c.Flags().Uint32Var(&code, "code", container.Killed, "exit code of the processes")
	return c
}

func (a *App) killOne(ctx context.Context, c node.Container, signal string, pid, code uint32) error {
	if signal == "" {
		switch {
		case pid != 0:
			return node.Terminate(a.Kernel, c.Job, pid, code)
		case c.Kind == node.Server:
			return a.terminateServer(ctx, c)
		}
		return a.kill(ctx, c, code)
	}
	s, err := supervisor.ParseSignal(signal)
	if err != nil {
		return fmt.Errorf("--signal: %w", err)
	}
	if pid != 0 {
		return node.Signal(a.Kernel, c.Job, pid, jobobject.ConsoleEvent(s))
	}
	if a.signalAll(c, s) == 0 {
		return fmt.Errorf("send %[2]v to %[1]s: no process has received it; the processes may have no console", c.Name(), s)
	}
	return nil
}

func (a *App) terminateServer(ctx context.Context, c node.Container) error {
	system, err := a.Service.Open(ctx, c.ID)
	if err != nil {
		return err
	}
	return errors.Join(system.Terminate(ctx), system.Close())
}
