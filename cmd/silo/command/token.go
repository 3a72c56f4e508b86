package command

import (
	"github.com/spf13/cobra"

	"github.com/siloshim/siloshim/cmd/silo/token"
	"github.com/siloshim/siloshim/shim/spec"
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

// account makes the program start with the token that the flags ask for, which is nil where our own will do. A service
// account has an environment of its own, with --env over it.
func (p *plan) account() (_ *token.Token, err error) {
	if p.token.Empty() {
		return nil, nil
	}
	t, err := token.New(&p.token)
	if err != nil {
		return nil, err
	}
	p.process.Token = t.Handle()
	if p.user != "" && !p.program.noEnv {
		env, err := t.Environment()
		if err != nil {
			_ = t.Close() // the handle ends with this process anyway
			return nil, err
		}
		p.process.Env = spec.MergeEnv(env, p.own)
	}
	return t, nil
}
