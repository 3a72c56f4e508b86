package command

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/siloshim/siloshim/cmd/silo/token"
)

func (a *App) tokenCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "token",
		Short: "Show the token of this process, as JSON",
		Long: `Token shows the user, integrity level, privileges and deny-only groups of this process. Run it through silo run to see
those of a program.`,
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

// programUser is the user of a program, and the environment that the program starts from. It implements
// [hostprocess.Token].
type programUser struct {
	*token.Token // nil is that of silo
	env          []string
}

// Environment implements [hostprocess.Token].
func (u programUser) Environment() ([]string, error) { return u.env, nil }

// account makes the user that the flags require. A service account has another environment.
func (p *runPlan) account(outer []string) (u programUser, err error) {
	u.env = p.program.base(outer)
	if p.token.Empty() {
		return u, nil
	}
	if u.Token, err = token.New(&p.token); err != nil {
		return u, err
	}
	if p.user != "" && !p.program.noEnv {
		if u.env, err = u.Token.Environment(); err != nil {
			return u, errors.Join(err, u.Close())
		}
	}
	return u, nil
}
