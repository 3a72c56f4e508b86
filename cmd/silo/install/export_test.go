package install

import "context"

// Restart restarts a service and those that need it.
func Restart(ctx context.Context, m Machine, name string) error {
	return (&restarter{machine: m, name: name}).run(ctx)
}
