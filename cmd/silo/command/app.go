package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/siloshim/siloshim/cmd/silo/install"
	"github.com/siloshim/siloshim/cmd/silo/limit"
	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/container/hostprocess"
	"github.com/siloshim/siloshim/container/layer"
	"github.com/siloshim/siloshim/container/network"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/internal/buildinfo"
	"github.com/siloshim/siloshim/jobobject"
)

// App has everything that the verbs use.
type App struct {
	Kernel         jobobject.Kernel
	Node           node.Node
	Machine        limit.Machine
	Host           plan.Machine // where programs are searched
	Service        *hcs.Client
	Storage        layer.Storage // mounts layers; nil is the system's, as for the next
	Network        network.Namespaces
	Accounts       hostprocess.Accounts
	Containerd     install.Machine // where containerd runs; nil is this machine
	Stdin          *os.File
	Stdout, Stderr io.Writer
	Env            []string
	Dir            string // the working directory
	Self           string // the path of this executable
	Now            func() time.Time
	Pause          func(time.Duration)                           // advances the clock of Now in tests; nil waits
	Terminal       func(io.Writer) (columns, lines int, ok bool) // the size of a terminal; nil is the system's

	args     []string // the command line
	output   string   // the flag --output
	checking bool     // verbs check their arguments and do nothing, see serviceVerbs
}

// System is the App of this machine.
func System() *App {
	dir, _ := os.Getwd() // verbs that need one refuse an unknown one
	self, _ := os.Executable()
	if len(os.Args) > 1 {
		// Explorer, which gives no arguments, is told to use a console. To find out whether it is the parent takes a list of all
		// processes of the machine.
		cobra.MousetrapHelpText = ""
	}
	return &App{
		Kernel: jobobject.System(), Machine: limit.ThisMachine(), Service: &hcs.Client{},
		Node:  node.Node{Records: node.Records{Dir: recordsDir(os.Getenv)}},
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Env: os.Environ(), Dir: dir, Self: self, Now: time.Now,
	}
}

// recordsDir is the directory of the records of silo run.
func recordsDir(env func(string) string) string {
	if dir := env("SILO_STATE"); dir != "" {
		return dir
	}
	if dir := env("ProgramData"); dir != "" {
		return filepath.Join(dir, "silo", "run")
	}
	return filepath.Join(os.TempDir(), "silo", "run")
}

// Main runs one command line, without the program's name, and returns the exit code. Named damon.exe, the executable
// is the verb supervise. Ctrl+C ends the context of every verb.
func (a *App) Main(ctx context.Context, name string, args []string) int {
	ctx, cancel := signal.NotifyContext(ctx, endSignals...)
	defer cancel()
	return a.dispatch(ctx, name, args)
}

// endSignals end the context of every verb.
var endSignals = []os.Signal{os.Interrupt, syscall.SIGTERM}

// dispatch is Main without the signals.
func (a *App) dispatch(ctx context.Context, name string, args []string) int {
	base := filepath.Base(strings.ReplaceAll(strings.ToLower(name), `\`, "/"))
	if strings.TrimSuffix(base, ".exe") == "damon" {
		return a.exitCode(a.supervise(ctx, args))
	}
	a.args = args
	root := a.root(args)
	if err := a.checkVerb(root, args); err != nil {
		return a.exitCode(err)
	}
	root.SetArgs(args)
	return a.exitCode(root.ExecuteContext(ctx))
}

// root is the command line with its verbs.
func (a *App) root(args []string) *cobra.Command {
	root := &cobra.Command{
		Use:   "silo",
		Short: "Run, limit and watch programs and containers on Windows",
		Long: `Silo runs programs in Windows job objects, with limits, and shows every container of this machine: those of the silo
shim, of the Host Compute Service, and of silo run. It queries the kernel and needs no daemon.

The exit code is the program's, or: 124 a timeout ended it, 125 silo failed and nothing was started, 126 the program
cannot be started, 127 the program does not exist, 137 the program was killed.

Silo keeps its records in the directory that SILO_STATE names, or in %ProgramData%\silo\run.`,
		Version:      versionLine(),
		SilenceUsage: true, SilenceErrors: true,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetOut(a.Stdout)
	root.SetErr(a.Stderr)
	root.PersistentFlags().StringVarP(&a.output, "output", "o", "table", "format: table, wide or json")
	root.PersistentPreRunE = func(*cobra.Command, []string) error { return a.checkOutput() }
	for _, g := range groups {
		root.AddGroup(&cobra.Group{ID: g.title, Title: g.title + ":"})
	}
	root.SetHelpCommandGroupID(groupOf("help"))
	root.SetCompletionCommandGroupID(groupOf("completion"))
	verbs := a.verbs()
	if len(args) > 0 && verbs[args[0]] != nil {
		root.AddCommand(verbs[args[0]]()) // the others would only cost the time to make them
		return root
	}
	for _, name := range slices.Sorted(maps.Keys(verbs)) { // suggestions keep the order
		c := verbs[name]()
		c.GroupID = groupOf(name)
		a.completes(c)
		root.AddCommand(c)
	}
	return root
}

// groups are those of silo help, in its order, with their verbs.
var groups = []struct{ title, verbs string }{
	{"Run", "run start restart exec attach supervise nspawn"},
	{"Watch", "ps top stats logs events inspect wait metrics dashboard"},
	{"Change", "update pause resume stop kill rename rm"},
	{"Node", "doctor selftest explain cleanup token"},
	{"Set-up", "install uninstall service completion help version"},
}

// groupOf returns the group of a verb, or "".
func groupOf(verb string) string {
	for _, g := range groups {
		if slices.Contains(strings.Fields(g.verbs), verb) {
			return g.title
		}
	}
	return ""
}

// verbs returns all verbs, by name.
func (a *App) verbs() map[string]func() *cobra.Command {
	return map[string]func() *cobra.Command{
		"run": a.runCommand, "supervise": a.superviseCommand, "exec": a.execCommand, "attach": a.attachCommand,
		"ps": a.psCommand, "top": a.topCommand, "stats": a.statsCommand, "inspect": a.inspectCommand, "events": a.eventsCommand,
		"logs": a.logsCommand, "update": a.updateCommand, "pause": a.pauseCommand, "resume": a.resumeCommand, "stop": a.stopCommand,
		"kill": a.killCommand, "wait": a.waitCommand, "metrics": a.metricsCommand, "explain": a.explainCommand,
		"doctor": a.doctorCommand, "cleanup": a.cleanupCommand, "token": a.tokenCommand, "service": a.serviceCommand,
		"nspawn": a.nspawnCommand, "selftest": a.selftestCommand, "workload": a.workloadCommand, "version": a.versionCommand,
		"rm": a.rmCommand, "start": a.startCommand, "restart": a.restartCommand, "rename": a.renameCommand,
		"install": a.installCommand, "uninstall": a.uninstallCommand, "dashboard": a.dashboardCommand,
	}
}

// exit is the exit code of a program that silo ran. It is not printed: the program has printed its own error.
type exit uint32

func (e exit) Error() string { return fmt.Sprintf("exit status %d", uint32(e)) }

// failure is an error of silo with its exit code.
type failure struct {
	code int
	err  error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// The exit codes of silo's own errors.
const (
	codeOwn      = 125
	codeRefused  = 126
	codeNotFound = 127
)

func (a *App) exitCode(err error) int {
	if err == nil {
		return 0
	}
	var code exit
	if errors.As(err, &code) {
		return int(code)
	}
	fmt.Fprintf(a.Stderr, "silo: %s\n", printable(oneLine(err)))
	return int(errorCode(err))
}

// errorCode is the exit code of an error of silo.
func errorCode(err error) uint32 {
	var f *failure
	if errors.As(err, &f) {
		return uint32(f.code)
	}
	return codeOwn
}

func (a *App) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Example: "  silo version -o json", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.version() },
	}
}

func (a *App) version() error {
	if a.output == asJSON {
		version, revision := buildinfo.Read()
		return a.showJSON(map[string]string{"version": version, "revision": revision, "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH})
	}
	_, err := fmt.Fprintln(a.Stdout, versionLine())
	return err
}

func versionLine() string {
	version, revision := buildinfo.Read()
	return fmt.Sprintf("silo %s (%s) %s %s/%s", version, revision, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
