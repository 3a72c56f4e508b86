package command

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/jobobject"
)

func (a *App) pauseCommand() *cobra.Command {
	return a.freezeCommand("pause", "Suspend all threads of containers until silo resume", (*jobobject.Job).Freeze)
}

func (a *App) resumeCommand() *cobra.Command {
	c := a.freezeCommand("resume", "Resume containers after silo pause", (*jobobject.Job).Thaw)
	c.Aliases = []string{"unpause"} // docker's name
	return c
}

func (a *App) freezeCommand(verb, short string, act func(*jobobject.Job) error) *cobra.Command {
	return &cobra.Command{
		Use: verb + " container...", Short: short, Args: cobra.MinimumNArgs(1),
		Long:    "The kernel suspends and resumes whole jobs, including threads that start meanwhile. Memory and limits do not change.",
		Example: "  silo " + verb + " web",
		RunE: func(_ *cobra.Command, args []string) error {
			return a.each(args, func(c node.Container) error {
				err := errServer
				if c.Kind != node.Server {
					err = a.look(c, jobobject.AccessSetAttributes, act)
				}
				if err != nil {
					return fmt.Errorf("%s %s: %w", verb, c.Name(), err)
				}
				return nil
			})
		},
	}
}
