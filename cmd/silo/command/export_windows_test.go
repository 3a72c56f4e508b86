package command

import (
	"context"

	"golang.org/x/sys/windows/svc"
)

// QueryConfig returns the command line and the account of a service.
var QueryConfig = queryConfig

// NewService is what the service manager talks to while a verb runs as a service, with its log. report receives failures.
func NewService(ctx context.Context, a *App, log string, report func(code uint32, text string), args ...string) svc.Handler {
	s := &service{app: a, ctx: ctx, name: "test", args: args, report: report}
	s.flags.log = logFlags{path: log, size: 1, files: 1}
	return s
}
