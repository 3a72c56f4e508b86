package command

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/siloshim/siloshim/cmd/silo/install"
)

// placeFlags are the flags of both install and uninstall.
type placeFlags struct {
	install.Options
	install.Choices
	dry bool
}

func (f *placeFlags) add(to *pflag.FlagSet) {
	to.StringVar(&f.Prefix, "prefix", "", "directory of containerd.exe; default: that of its service")
	to.StringVar(&f.Config, "config", "", "containerd's config.toml; default: that of its service")
	to.StringVar(&f.Service, "service", "containerd", "name of containerd's service")
	to.BoolVar(&f.Restart, "restart", false, "restart the service and its dependents if the handlers changed")
	to.BoolVar(&f.dry, "dry-run", false, "print the changes without making them")
}

// installFlags are the flags of install.
type installFlags struct {
	placeFlags
	shim         string
	wait         bool
	removeOnExit bool
}

func (a *App) installCommand() *cobra.Command {
	f := new(installFlags)
	c := &cobra.Command{
		Use:   "install",
		Short: "Install the shim and its runtime handlers on this machine",
		Long: `Install copies the shim beside containerd.exe, writes the runtime handlers into conf.d\silo.toml beside config.toml,
and makes containerd read its configuration. It prints its changes; a second installation has none. If a step fails, all
changes are undone. Running shims keep their executable.

Containerd reads conf.d only if config.toml imports it. With --edit that import is added, and config.toml.before-silo is a
copy of the former file. A config.toml of version 2 gets the handler itself. Containerd is restarted with --restart only;
containers run on meanwhile. The services that depend on containerd, such as kubelet, are stopped before it and started
after it.

With --wait install does not return, for the main process of a DaemonSet; see deploy/kubernetes.`,
		Args: cobra.NoArgs,
		Example: `  silo install --dry-run
  silo install --edit --restart`,
		RunE: func(c *cobra.Command, _ []string) error { return a.install(c.Context(), f) },
	}
	f.add(c.Flags())
	c.Flags().StringVar(&f.shim, "shim", "", "executable of the shim; default: the one beside silo.exe")
	c.Flags().BoolVar(&f.Edit, "edit", false, "edit config.toml if it does not import conf.d")
	c.Flags().BoolVar(&f.wait, "wait", false, "do not return until Ctrl+C, or until the container is stopped")
	c.Flags().BoolVar(&f.removeOnExit, "remove-on-exit", false, "with --wait: uninstall at its end")
	return c
}

func (a *App) uninstallCommand() *cobra.Command {
	f := new(placeFlags)
	c := &cobra.Command{
		Use:   "uninstall",
		Short: "Remove what install put on this machine",
		Long: `Uninstall removes the shim, conf.d\silo.toml, and what install added to config.toml. It refuses while shims run: their
containers could not be cleaned up. With --force their executable is renamed, and they run on.

Containerd has the handlers until it is restarted.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.uninstall(c.Context(), f) },
	}
	f.add(c.Flags())
	c.Flags().BoolVar(&f.Force, "force", false, "also while shims run")
	return c
}

// errWait is returned for a flag without the one that it needs.
var errWait = errors.New("--remove-on-exit needs --wait; add it")

func (a *App) install(ctx context.Context, f *installFlags) error {
	if f.removeOnExit && !f.wait {
		return errWait
	}
	if f.shim == "" {
		f.shim = filepath.Join(filepath.Dir(a.Self), install.ShimName)
	}
	err := a.applyPlan(ctx, &f.placeFlags, func(n *install.Node) (*install.Plan, error) { return n.Install(f.shim, f.Choices) })
	if err != nil || !f.wait || f.dry {
		return err
	}
	fmt.Fprintln(a.Stderr, "silo: installed; waiting")
	<-ctx.Done()
	if !f.removeOnExit {
		return nil
	}
	f.Restart = false // containerd may be what stops this process
	return a.uninstall(context.WithoutCancel(ctx), &f.placeFlags)
}

func (a *App) uninstall(ctx context.Context, f *placeFlags) error {
	return a.applyPlan(ctx, f, func(n *install.Node) (*install.Plan, error) { return n.Uninstall(f.Choices) })
}

// applyTimeout bounds an installation. Most of it is for a service that is slow to stop.
const applyTimeout = 5 * time.Minute

// applyPlan makes a plan, applies it unless --dry-run is set, and prints it.
func (a *App) applyPlan(ctx context.Context, f *placeFlags, plan func(*install.Node) (*install.Plan, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, applyTimeout, fmt.Errorf("not done within %v", applyTimeout))
	defer cancel()
	n, err := install.Find(a.machine(), f.Options)
	if err != nil {
		return err
	}
	p, err := plan(n)
	if err != nil {
		return err
	}
	if !f.dry {
		done := a.progress("change the runtime of containerd")
		err := p.Apply(ctx)
		done()
		if err != nil {
			return err
		}
		for _, path := range n.Left() {
			fmt.Fprintf(a.Stderr, "silo: %s is in use; the next silo install or uninstall removes it\n", path)
		}
	}
	if p.Unread && a.output != asJSON {
		fmt.Fprintln(a.Stderr, "silo: containerd reads its handlers when it starts; restart it, or use --restart")
	}
	return show(a, append([]install.Change{}, p.Changes...), changeColumns)
}

var changeColumns = []column[install.Change]{
	{title: "ACTION", value: func(c *install.Change) string { return c.Action }},
	{title: "PATH", value: func(c *install.Change) string { return c.Path }},
	{title: "WHY", value: func(c *install.Change) string { return c.Why }},
}
