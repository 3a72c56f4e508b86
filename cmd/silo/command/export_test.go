package command

import (
	"context"

	"github.com/spf13/pflag"
)

// What the tests of this package use.
var (
	ServePath = servePath
	OneLine   = oneLine
	Shorten   = shorten
)

// PlannedService is what silo service install makes a service of.
type PlannedService struct {
	Account, Password string
	Args, Env         []string
}

// PlanService plans a service by the arguments of silo service install.
func PlanService(ctx context.Context, a *App, args ...string) (PlannedService, error) {
	f := new(serviceInstall)
	set := pflag.NewFlagSet("install", pflag.ContinueOnError)
	f.register(set)
	if err := set.Parse(args); err != nil {
		return PlannedService{}, err
	}
	p, err := a.planService(ctx, f, set.Arg(0), set.Args()[1:])
	if err != nil {
		return PlannedService{}, err
	}
	return PlannedService{p.account, p.password, p.args, p.env}, nil
}
