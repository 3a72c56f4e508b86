package command

import (
	"errors"

	"github.com/spf13/cobra"
)

func (a *App) serviceCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "service",
		Short: "Run supervise or metrics as a Windows service",
		Long: `Service installs, runs and removes a Windows service that runs silo supervise or silo metrics. The service starts with
Windows. The service manager restarts it after a crash and after an exit code other than 0, and not after a stop. Its
environment is that of the service manager, where supervise reads its settings.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(&cobra.Command{
		Use: "install name -- verb [args...]", Short: "Install a service", Args: serviceArgs,
		Example: "  silo service install silo-metrics -- metrics --listen 127.0.0.1:9765",
		RunE:    func(_ *cobra.Command, args []string) error { return a.installService(args[0], args[1:]) },
	}, &cobra.Command{
		Use: "run name -- verb [args...]", Short: "Run as the service; for the service manager only", Args: serviceArgs,
		RunE: func(c *cobra.Command, args []string) error { return a.runService(c.Context(), args[0], args[1:]) },
	}, &cobra.Command{
		Use: "remove name", Short: "Remove a service once it has stopped", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.removeService(args[0]) },
	})
	return c
}

// errServiceVerb is returned for a verb that cannot be a service.
var errServiceVerb = errors.New("service: the verb must be metrics or supervise; use silo service install NAME -- metrics")

func serviceArgs(_ *cobra.Command, args []string) error {
	if len(args) < 2 || args[1] != "metrics" && args[1] != "supervise" {
		return errServiceVerb
	}
	return nil
}
