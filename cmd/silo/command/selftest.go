package command

import (
	"context"
	"encoding/json"
	"net"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/siloshim/siloshim/cmd/silo/selftest"
	"github.com/siloshim/siloshim/cmd/silo/token"
	"github.com/siloshim/siloshim/internal/buildinfo"
	"github.com/siloshim/siloshim/internal/pipe"
	"github.com/siloshim/siloshim/internal/sleep"
	"github.com/siloshim/siloshim/jobobject"
)

func (a *App) selftestCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "selftest",
		Short: "Check the promises of the project on this machine",
		Long: `Selftest runs real processes (silo itself) in new jobs and checks what silo and the shim rely on. It takes half a
minute. It prints one line of JSON to send in, and a table; SETTLES are rows of docs/unproved.md. The exit code is 1 if a
promise is broken. A check whose host misses a capability is skipped and names it. Run it as LocalSystem or as an elevated
administrator: fewer checks are skipped.`,
		Example: "  silo selftest\n  silo selftest -o json",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return a.selftest(c.Context()) },
	}
}

// workloadCommand is the verb that selftest runs. It is hidden.
func (a *App) workloadCommand() *cobra.Command {
	return &cobra.Command{
		Use: "workload", Hidden: true, Short: "A workload of silo selftest", DisableFlagParsing: true,
		RunE: func(_ *cobra.Command, args []string) error {
			code, err := selftest.Workload(args)
			if err == nil && code != 0 {
				err = exit(code)
			}
			return err
		},
	}
}

// evidence is the line of JSON to send in.
type evidence struct {
	Version    string             `json:"version"`
	Revision   string             `json:"revision"`
	Go         string             `json:"go"`
	OS         string             `json:"os"`
	Arch       string             `json:"arch"`
	Windows    string             `json:"windows,omitempty"` // its build number
	Emulation  string             `json:"emulation,omitempty"`
	Processors int                `json:"processors"`
	At         time.Time          `json:"at"`
	Trials     []selftest.Verdict `json:"trials"`
}

func (a *App) selftest(ctx context.Context) error {
	host := selftest.Host{
		Kernel: a.Kernel, Service: a.Service, Node: a.Node, Processors: a.Machine.Processors(), Emulation: selftest.Emulation(),
		Now: a.Now, Pause: a.pauseFor, Token: token.New, Listen: func(name string) (net.Listener, error) { return pipe.Listen(pipeName(name)) },
		Workload: func(args []string) (jobobject.ProcessOptions, error) {
			return a.program(&programFlags{}, append([]string{a.Self, "workload"}, args...))
		},
	}
	version, revision := buildinfo.Read()
	done := a.progress("check the promises")
	e := evidence{
		version, revision, runtime.Version(), runtime.GOOS, runtime.GOARCH, windowsBuild(), host.Emulation, host.Processors, a.Now(), host.Run(ctx),
	}
	done()
	if err := json.NewEncoder(a.Stdout).Encode(e); err != nil {
		return err
	}
	if a.output != asJSON {
		if err := show(a, e.Trials, verdictColumns); err != nil {
			return err
		}
	}
	if slices.ContainsFunc(e.Trials, func(v selftest.Verdict) bool { return v.Result == selftest.Broken }) {
		return exit(1)
	}
	return nil
}

// pauseFor waits for d on the clock of the app.
func (a *App) pauseFor(ctx context.Context, d time.Duration) error {
	if a.Pause != nil {
		a.Pause(d)
		return nil
	}
	return sleep.For(ctx, d)
}

var verdictColumns = []column[selftest.Verdict]{
	{title: "TRIAL", value: func(v *selftest.Verdict) string { return v.Trial }},
	{title: "SETTLES", value: func(v *selftest.Verdict) string { return strings.Join(v.Settles, " ") }},
	{title: "RESULT", value: func(v *selftest.Verdict) string { return v.Result }},
	{title: "WHY", value: func(v *selftest.Verdict) string { return v.Why }},
}
