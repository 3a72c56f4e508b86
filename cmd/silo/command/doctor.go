package command

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/siloshim/siloshim/cmd/silo/token"
	"github.com/siloshim/siloshim/jobobject"
)

// doctorFlags are the flags of doctor.
type doctorFlags struct {
	bundle string
	output bool
}

func (a *App) doctorCommand() *cobra.Command {
	f := new(doctorFlags)
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Check what this machine supports, with a remedy for the rest",
		Long: `Doctor checks each capability that silo and the shim rely on, with temporary objects. The exit code is 1 if a check
fails. Such a host can still run containers: only those that need a missing capability are refused.

With --bundle doctor also writes a zip file for a bug report: versions, these checks, records and specifications of
containers, containerd's configuration and log with the stacks of the shims, and event log lines. Values of environment
variables, credential specs, and values after names such as password or --token are removed. Read it before you send it.`,
		Example: "  silo doctor\n  silo doctor -o json\n  silo doctor --bundle support.zip",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return a.doctor(c.Context(), f) },
	}
	c.Flags().StringVar(&f.bundle, "bundle", "", "also write a support bundle to this new zip file")
	c.Flags().BoolVar(&f.output, "bundle-output", false, "with --bundle: also the end of the output of each container of silo run")
	return c
}

// check is one capability of a host.
type check struct {
	Check  string `json:"check"`
	OK     bool   `json:"ok"`
	Found  string `json:"found"`
	Remedy string `json:"remedy,omitempty"`
}

// serviceTimeout bounds the call of the Host Compute Service.
const serviceTimeout = 10 * time.Second

// errBundle is returned for a flag without the one that it needs.
var errBundle = errors.New("--bundle-output needs --bundle; add it")

func (a *App) doctor(ctx context.Context, f *doctorFlags) error {
	if f.output && f.bundle == "" {
		return errBundle
	}
	checks := []check{a.checkVersion(), a.checkMachine(), a.checkToken()}
	checks = append(checks, a.checkJob(ctx)...)
	checks = append(checks, a.checkList(), a.checkService(ctx))
	if err := show(a, checks, checkColumns); err != nil {
		return err
	}
	if f.bundle != "" {
		if err := a.writeBundle(ctx, f.bundle, checks, f.output); err != nil {
			return err
		}
		fmt.Fprintf(a.Stderr, "silo: wrote %s; read it before you send it\n", f.bundle)
	}
	if slices.ContainsFunc(checks, func(c check) bool { return !c.OK }) {
		return exit(1)
	}
	return nil
}

// checkVersion has what a bug report needs.
func (a *App) checkVersion() check {
	v := a.versions()
	return check{Check: "versions", OK: true, Found: strings.TrimSpace(fmt.Sprintf("silo %s (%s) %s/%s %s", v["version"], v["revision"], v["os"], v["arch"], v["windows"]))}
}

func (a *App) checkMachine() check {
	c := check{Check: "processors", OK: true,
		Found: fmt.Sprintf("%d in %d groups, %d NUMA nodes, %d MHz", a.Machine.Processors(), len(a.Machine.Groups), len(a.Machine.Nodes), a.Machine.MHz)}
	if a.Machine.MHz == 0 {
		c.OK, c.Remedy = false, "the speed is unknown; use --cpus or --cpu-percent, not --cpu-mhz"
	}
	return c
}

func (a *App) checkToken() check {
	facts, err := token.Own()
	c := tried("elevated", err, "needs Windows")
	if err != nil {
		return c
	}
	c.OK, c.Found = facts.Elevated, fmt.Sprintf("%s, integrity %s, %d privileges", facts.User, facts.Integrity, len(facts.Privileges))
	if !c.OK {
		c.Remedy = "containers of the shim and of other users are not shown; run as administrator or LocalSystem"
	}
	return c
}

// tried makes a check of an error.
func tried(name string, err error, remedy string) check {
	if err == nil {
		return check{Check: name, OK: true, Found: "yes"}
	}
	return check{Check: name, Found: strings.ReplaceAll(err.Error(), "\n", "; "), Remedy: remedy}
}

// checkJob tries limits and queries on a new, empty job.
func (a *App) checkJob(ctx context.Context) []check {
	job, err := jobobject.Create(jobobject.Options{KillOnClose: true, TrackIO: true, Kernel: a.Kernel})
	list := []check{tried("job objects", err, "silo and the shim require Windows Server 2016 or later")}
	if err != nil {
		return list
	}
	defer job.Close() //nolint:errcheck // an empty job
	const refuse = "containers that need it are refused, or run with a warning with --best-effort"
	for _, l := range []struct {
		name   string
		limits jobobject.Limits
	}{
		{"memory limit", jobobject.Limits{JobMemory: 64 << 20}},
		{"process limit", jobobject.Limits{ActiveProcesses: 10}},
		{"processor rate", jobobject.Limits{CPURate: 5000}},
		{"processor weight", jobobject.Limits{CPUWeight: 5}},
		{"network rate", jobobject.Limits{NetBandwidth: 1 << 20}},
		{"affinity", jobobject.Limits{Affinity: []jobobject.GroupAffinity{{Mask: 1}}}}, // last: it cannot be removed
	} {
		l.limits.KillOnClose = true
		list = append(list, tried(l.name, a.setAndRead(ctx, job, l.limits), refuse))
	}
	_, memory := job.Memory()
	_, storage := job.Storage()
	_, private := job.PrivateWorkingSet()
	return append(list,
		tried("committed memory of a job", memory, "missing in statistics, or queried from the Host Compute Service"),
		tried("storage traffic of a job", storage, "missing in statistics, or queried from the Host Compute Service"),
		tried("private working set", private, "missing in statistics, or queried from the Host Compute Service"),
		tried("pause and resume", errors.Join(job.Freeze(), job.Thaw()), refuse),
		tried("silos", job.PromoteToSilo(), "job containers see the host's own files"))
}

// setAndRead sets limits and checks that the kernel returns the same.
func (a *App) setAndRead(ctx context.Context, job *jobobject.Job, l jobobject.Limits) error {
	if err := job.SetLimits(ctx, l); err != nil {
		return err
	}
	back, err := job.QueryLimits(ctx)
	if err != nil {
		return fmt.Errorf("set and not read back: %w", err)
	}
	if back.JobMemory != l.JobMemory || back.ActiveProcesses != l.ActiveProcesses || back.CPURate != l.CPURate ||
		back.CPUWeight != l.CPUWeight || back.NetBandwidth != l.NetBandwidth {
		return errors.New("set, and another value read back")
	}
	return nil
}

func (a *App) checkList() check {
	list, err := a.Node.Containers()
	c := tried("list of containers", err, "containers cannot be listed; run as administrator")
	if err == nil {
		c.Found = fmt.Sprintf("%d containers", len(list))
	}
	return c
}

func (a *App) checkService(ctx context.Context) check {
	ctx, cancel := context.WithTimeout(ctx, serviceTimeout)
	defer cancel()
	list, err := a.Service.Enumerate(ctx, nil)
	c := tried("Host Compute Service", err, "for Windows Server containers run Install-WindowsFeature Containers, restart, and run as administrator")
	if err == nil {
		c.Found = fmt.Sprintf("%d compute systems", len(list))
	}
	return c
}

var checkColumns = []column[check]{
	{title: "CHECK", value: func(c *check) string { return c.Check }},
	{title: "OK", value: func(c *check) string {
		if c.OK {
			return "yes"
		}
		return "no"
	}},
	{title: "FOUND", value: func(c *check) string { return c.Found }},
	{title: "REMEDY", value: func(c *check) string { return c.Remedy }},
}
