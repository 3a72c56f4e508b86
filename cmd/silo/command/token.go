package command

import (
	"github.com/spf13/cobra"

	"github.com/siloshim/siloshim/cmd/silo/token"
)

func (a *App) tokenCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "token",
		Short: "Show what the token of this process allows, as JSON",
		Long: `Token shows user, integrity level, privileges and the groups that can only deny. Run through silo run, it shows what a
program gets.`,
		Example: "  silo run --restricted --integrity low -- silo token",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			facts, err := token.Own()
			if err != nil {
				return err
			}
			return a.showJSON(facts)
		},
	}
}
