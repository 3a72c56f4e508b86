package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/internal/textfile"
)

func (a *App) serviceCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "service",
		Short: "Run a program or silo metrics as a Windows service",
		Long: `Service installs, lists and removes Windows services that run a verb of silo: run, supervise, nspawn, metrics, events
or dashboard. Such a service starts with Windows. The service manager restarts it 5 seconds after a crash or an exit code
other than 0, and not after a stop. Output goes to a log. A failure is in the event log, and its exit code in sc query.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(a.serviceInstallCommand(), a.serviceRunCommand(), &cobra.Command{
		Use: "uninstall name", Aliases: []string{"remove"}, Short: "Remove a service once it has stopped", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.uninstallService(args[0]) },
	}, &cobra.Command{
		Use: "status name...", Short: "Show the state of services", Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.listServices(args) },
	}, &cobra.Command{
		Use: "list", Short: "List the services of silo", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.listServices(nil) },
	})
	return c
}

// serviceFlags are those that both the installation and the service itself have.
type serviceFlags struct {
	dir string
	log logFlags
}

func (f *serviceFlags) register(set *pflag.FlagSet) {
	set.StringVarP(&f.dir, "workdir", "w", "", "directory that the command runs in; the current one without it")
	f.log.register(set)
	set.Lookup("log").Usage = "file for all output; %ProgramData%\\silo\\service\\NAME\\output.log without it"
}

// serviceInstall are the flags of service install.
type serviceInstall struct {
	serviceFlags
	environmentFlags
	account  string
	password bool
}

func (a *App) serviceInstallCommand() *cobra.Command {
	f := new(serviceInstall)
	c := &cobra.Command{
		Use: "install [flags] name -- verb [args...]", Short: "Install a service",
		Long: `Install makes a service that runs silo with this command line. The command line is checked first, with the
environment of a service: a wrong flag, or a program that is not there, installs nothing. A container of silo run is
called as the service, unless --name is given.

The variables of --env are stored in the registry, where administrators can read them. An account of a person
needs a password on stdin and the right to log on as a service.`,
		Example: `  silo service install silo-metrics -- metrics --listen 127.0.0.1:9765
  silo service install web --workdir C:\web -e PORT=80 -- run --memory 1g --restart on-failure -- app.exe
  silo service install web --account "NT SERVICE\web" -- run -- C:\web\app.exe`,
		Args: serviceArgs,
		RunE: func(c *cobra.Command, args []string) error {
			p, err := a.planService(c.Context(), f, args[0], args[1:])
			if err != nil {
				return err
			}
			return a.installService(p)
		},
	}
	f.register(c.Flags())
	return c
}

func (f *serviceInstall) register(set *pflag.FlagSet) {
	f.serviceFlags.register(set)
	f.environmentFlags.register(set)
	set.StringVar(&f.account, "account", "LocalSystem", "account, such as LocalService, NetworkService or \"NT SERVICE\\NAME\"")
	set.BoolVar(&f.password, "password-stdin", false, "read the password of the account from stdin")
}

func (a *App) serviceRunCommand() *cobra.Command {
	f := new(serviceFlags)
	c := &cobra.Command{
		Use: "run [flags] name -- verb [args...]", Short: "Run as the service; for the service manager only", Args: serviceArgs,
		RunE: func(c *cobra.Command, args []string) error { return a.runService(c.Context(), f, args[0], args[1:]) },
	}
	f.register(c.Flags())
	return c
}

// serviceVerbs are the verbs that can be a service, and whether they check their arguments with [App.checking].
var serviceVerbs = map[string]bool{"run": true, "supervise": true, "nspawn": true, "metrics": true, "events": false, "dashboard": false}

// serviceArgs requires a name and a verb.
func serviceArgs(_ *cobra.Command, args []string) error {
	if len(args) > 1 {
		if _, ok := serviceVerbs[args[1]]; ok {
			return nil
		}
	}
	return errors.New("service: the verb must be run, supervise, nspawn, metrics, events or dashboard; use silo service install NAME -- run -- PROGRAM")
}

// servicePlan is a service that was checked and not made.
type servicePlan struct {
	name, account, password string
	args                    []string // of the executable
	env                     []string
	logDir                  string // of the log without --log
}

// planService checks all that can be checked before the service is made.
func (a *App) planService(ctx context.Context, f *serviceInstall, name string, command []string) (p *servicePlan, err error) {
	if err := errors.Join(plan.ValidName("service", name), f.log.validate()); err != nil {
		return nil, err
	}
	p = &servicePlan{name: name}
	if p.account, err = serviceAccount(f.account, f.password); err != nil {
		return nil, err
	}
	if p.env, err = f.entries(a.Env); err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(f.dir) // the current one for ""
	if err != nil {
		return nil, fmt.Errorf("--workdir %q: %w", f.dir, err)
	}
	if i, err := os.Stat(dir); err != nil || !i.IsDir() {
		return nil, fmt.Errorf("--workdir %q: no such directory; name one that exists", dir)
	}
	service := *a
	service.Dir, service.Env = dir, plan.MergeEnv(serviceEnviron(a.Env), p.env)
	if command, err = service.checkCommand(ctx, name, command); err != nil {
		return nil, err
	}
	log := f.log
	switch {
	case log.path == "":
		p.logDir = filepath.Join(cmp.Or(lookupEnv(service.Env, "ProgramData"), os.TempDir()), "silo", "service", name)
		log.path = filepath.Join(p.logDir, "output.log")
	case !filepath.IsAbs(log.path):
		log.path = filepath.Join(dir, log.path)
	}
	if err := log.resolve(); err != nil {
		return nil, err
	}
	p.args = append([]string{
		"service", "run", "--workdir", dir, "--log", log.path, "--log-max-size", strconv.Itoa(log.size), "--log-max-files", strconv.Itoa(log.files),
		name, "--",
	}, command...)
	if f.password {
		p.password, err = a.readPassword()
	}
	return p, err
}

// checkCommand lets the verb of a command line check it without doing anything. It returns the command line with the name
// of the service for the container.
func (a *App) checkCommand(ctx context.Context, name string, command []string) ([]string, error) {
	app := *a
	app.checking, app.Stdout, app.Stderr = true, io.Discard, io.Discard
	root := app.root(command)
	verb, _, err := root.Find(command[:1])
	if err != nil {
		return nil, err
	}
	if !serviceVerbs[command[0]] {
		verb.RunE = func(*cobra.Command, []string) error { return nil }
	}
	root.SetArgs(command)
	if err := root.ExecuteContext(ctx); err != nil {
		return nil, fmt.Errorf("silo %s: %w", command[0], err)
	}
	help := verb.Flags().Lookup("help")
	if help != nil && help.Changed || verb.DisableFlagParsing && slices.Contains([]string{"-h", "--help"}, command[min(1, len(command)-1)]) {
		return nil, fmt.Errorf("silo %s: --help is no command of a service; leave it out", command[0])
	}
	if detach, err := verb.Flags().GetBool("detach"); err == nil && detach {
		return nil, fmt.Errorf("silo %s: the service would end at once with --detach; leave it out", command[0])
	}
	if f := verb.Flags().Lookup("name"); command[0] == "run" && f != nil && !f.Changed {
		command = slices.Insert(slices.Clone(command), 1, "--name", name)
	}
	return command, nil
}

// serviceAccount returns the full name of an account. Those of the system have no password, nor have managed ones.
func serviceAccount(name string, password bool) (string, error) {
	switch strings.ToLower(strings.ReplaceAll(name, " ", "")) {
	case "", "localsystem", "system", `ntauthority\system`:
		name = "LocalSystem"
	case "localservice", `ntauthority\localservice`:
		name = `NT AUTHORITY\LocalService`
	case "networkservice", `ntauthority\networkservice`:
		name = `NT AUTHORITY\NetworkService`
	default:
		if !strings.ContainsAny(name, `\@`) {
			return "", fmt.Errorf(`--account %q: name its domain, such as .\%s for an account of this machine`, name, name)
		}
		virtual := len(name) > len(`NT SERVICE\`) && strings.EqualFold(name[:len(`NT SERVICE\`)], `NT SERVICE\`)
		if !virtual && !strings.HasSuffix(name, "$") {
			if !password {
				return "", fmt.Errorf("--account %q needs a password; add --password-stdin and pipe the password", name)
			}
			return name, nil
		}
	}
	if password {
		return "", fmt.Errorf("--account %q has no password; leave --password-stdin out", name)
	}
	return name, nil
}

// readPassword reads the first line of stdin.
func (a *App) readPassword() (string, error) {
	const longest = 1024
	var text []byte
	var err error
	if a.Stdin != nil {
		if text, err = io.ReadAll(io.LimitReader(a.Stdin, longest+1)); err == nil {
			text, err = textfile.Decode(text) // as PowerShell may pipe it
		}
	}
	if err != nil {
		return "", fmt.Errorf("--password-stdin: %w", err)
	}
	line, _, ended := strings.Cut(string(text), "\n")
	if !ended && len(text) > longest {
		return "", fmt.Errorf("--password-stdin: the first line of stdin is longer than %d bytes; pipe only the password into silo", longest)
	}
	if line = strings.TrimSuffix(line, "\r"); line == "" {
		return "", errors.New("--password-stdin: stdin has no password; pipe it into silo")
	}
	return line, nil
}
