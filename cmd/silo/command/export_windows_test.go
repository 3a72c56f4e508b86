package command

import (
	"context"

	"golang.org/x/sys/windows/svc"
)

// NewService is what the service manager talks to while a verb runs as a service.
func NewService(ctx context.Context, a *App, args ...string) svc.Handler {
	return &service{app: a, ctx: ctx, args: args}
}
