package install

import "context"

// Restart restarts a service as a plan does.
func Restart(ctx context.Context, m ServiceManager, name string) error {
	return (&restart{manager: m, service: name}).run(ctx)
}
