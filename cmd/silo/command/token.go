package command

import (
	"github.com/spf13/cobra"

	"github.com/siloshim/siloshim/cmd/silo/token"
	"github.com/siloshim/siloshim/container/plan"
)

func (a *App) tokenCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "token",
		Short: "Show the token of this process, as JSON",
		Long: `Token shows user, integrity level, privileges and deny-only groups. Run it through silo run to see the token of a
program.`,
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

// account makes the token that the flags require and starts the program with it. It returns nil where the token of silo
// is used. A service account has another environment, which --env overrides.
func (p *runPlan) account() (_ *token.Token, err error) {
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
		p.process.Env = plan.MergeEnv(env, p.own)
	}
	return t, nil
}
