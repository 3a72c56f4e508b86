package command

import (
	"github.com/siloshim/siloshim/cmd/silo/token"
	"github.com/siloshim/siloshim/container/plan"
)

// account makes the program start with the token that the flags ask for, which is nil where our own will do. A service
// account has an environment of its own, with --env over it.
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
