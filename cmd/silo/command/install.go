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

// placeFlags say where containerd is and how to change it; install and uninstall have them.
type placeFlags struct {
	install.Options
	install.Choices
	dry bool
}

func (f *placeFlags) add(to *pflag.FlagSet) {
	to.StringVar(&f.Prefix, "prefix", "", "directory of containerd.exe; that of its service without it")
	to.StringVar(&f.Config, "config", "", "containerd's config.toml; that of its service without it")
	to.StringVar(&f.Service, "service", "containerd", "name of containerd's service")
	to.BoolVar(&f.Restart, "restart", false, "restart that service, and those that depend on it, if its handlers changed")
	to.BoolVar(&f.dry, "dry-run", false, "print what would change, and change nothing")
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
		Short: "Put the shim and its runtime handlers on this machine",
		Long: `Install copies the shim beside containerd.exe, writes the runtime handlers into conf.d\silo.toml beside config.toml,
and has containerd read its configuration. It prints what it changed, which is nothing the second time. If anything
fails, all is as it was. Shims that run keep their executable.

Containerd reads conf.d only if config.toml imports it; with --edit that import is added, and config.toml.before-silo is
what was there. A config.toml of version 2 gets the handler itself. Containerd is not restarted unless --restart says so;
containers run on meanwhile. The services that depend on containerd, such as kubelet, are then stopped first and started
again.

With --wait install stays, as the main process of a DaemonSet does; see deploy/kubernetes.`,
		Args: cobra.NoArgs,
		Example: `  silo install --dry-run
  silo install --edit --restart`,
		RunE: func(c *cobra.Command, _ []string) error { return a.install(c.Context(), f) },
	}
	f.add(c.Flags())
	c.Flags().StringVar(&f.shim, "shim", "", "the shim's executable; the one beside silo.exe without it")
	c.Flags().BoolVar(&f.Edit, "edit", false, "edit config.toml where that is needed")
	c.Flags().BoolVar(&f.wait, "wait", false, "stay until Ctrl+C, or until the container is stopped")
	c.Flags().BoolVar(&f.removeOnExit, "remove-on-exit", false, "with --wait: uninstall at the end")
	return c
}

func (a *App) uninstallCommand() *cobra.Command {
	f := new(placeFlags)
	c := &cobra.Command{
		Use:   "uninstall",
		Short: "Remove what install put on this machine",
		Long: `Uninstall removes the shim, conf.d\silo.toml, and what install added to config.toml. It refuses while shims run: their
containers would have nobody to clean up behind them. With --force their executable is renamed, and they run on.

Containerd knows the handlers until it is restarted.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.uninstall(c.Context(), f) },
	}
	f.add(c.Flags())
	c.Flags().BoolVar(&f.Force, "force", false, "also while shims run")
	return c
}

// errWait says that a flag needs another.
var errWait = errors.New("--remove-on-exit is for --wait")

func (a *App) install(ctx context.Context, f *installFlags) error {
	if f.removeOnExit && !f.wait {
		return errWait
	}
	if f.shim == "" {
		f.shim = filepath.Join(filepath.Dir(a.Self), install.ShimName)
	}
	err := a.carryOut(ctx, &f.placeFlags, func(n *install.Node) (*install.Plan, error) { return n.Install(f.shim, f.Choices) })
	if err != nil || !f.wait || f.dry {
		return err
	}
	fmt.Fprintln(a.Stderr, "silo: installed; waiting")
	<-ctx.Done()
	if !f.removeOnExit {
		return nil
	}
	f.Restart = false // whoever ends us may be containerd
	return a.uninstall(context.WithoutCancel(ctx), &f.placeFlags)
}

func (a *App) uninstall(ctx context.Context, f *placeFlags) error {
	return a.carryOut(ctx, f, func(n *install.Node) (*install.Plan, error) { return n.Uninstall(f.Choices) })
}

// carryOutTime bounds an installation; a service that hangs at its stop takes the most of it.
const carryOutTime = 5 * time.Minute

// carryOut makes a plan, applies it unless this is a trial, and prints it.
func (a *App) carryOut(ctx context.Context, f *placeFlags, plan func(*install.Node) (*install.Plan, error)) error {
	ctx, cancel := context.WithTimeout(ctx, carryOutTime)
	defer cancel()
	machine := a.Containerd
	if machine == nil {
		machine = install.System()
	}
	n, err := install.Find(machine, f.Options)
	if err != nil {
		return err
	}
	p, err := plan(n)
	if err != nil {
		return err
	}
	if !f.dry {
		if err := p.Apply(ctx); err != nil {
			return err
		}
		for _, path := range n.Left() {
			fmt.Fprintf(a.Stderr, "silo: %s still runs; it is removed the next time\n", path)
		}
	}
	if p.Unread && a.output != asJSON {
		fmt.Fprintln(a.Stderr, "silo: containerd reads its handlers when it starts: restart it, or use --restart")
	}
	return show(a, append([]install.Change{}, p.Changes...), changeColumns)
}

var changeColumns = []column[install.Change]{
	{title: "ACTION", value: func(c *install.Change) string { return c.Action }},
	{title: "PATH", value: func(c *install.Change) string { return c.Path }},
	{title: "WHY", value: func(c *install.Change) string { return c.Why }},
}
