package command

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/siloshim/siloshim/cmd/silo/limit"
	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/cmd/silo/supervisor"
	"github.com/siloshim/siloshim/cmd/silo/token"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/internal/pipe"
	"github.com/siloshim/siloshim/jobobject"
)

func (a *App) runCommand() *cobra.Command {
	f := new(runFlags)
	c := &cobra.Command{
		Use:   "run [flags] -- program [args...]",
		Short: "Run a program in a job, with limits",
		Long: `Run starts a program in a new job object and waits for it. Every process that the program starts is in the job, unless
--breakaway lets it leave. The job ends with the program, with silo, or with silo stop. The exit code is the program's, or
137 if silo terminated it and 124 if --timeout ended it.

With a restart policy a failed start is a failure of the program, and is tried again after a pause. A program that does not
exist when silo run begins is not: exit code 127. "always" and "unless-stopped" are the same: no policy restarts the program
after silo stop.

The record and the output of a container with --name or --detach stay until silo rm or silo cleanup, --rm, or another run of
that name. A log that --log names is appended to, and is never removed. A number without a unit is seconds.

A limit that this host cannot apply is an error, and nothing is started. With --best-effort it is a warning, which
silo inspect shows.

With --server the program runs in a Windows Server container over the layers of --layer. Stdin is not connected. --network
and --mount name its network and its directories. The layer that it writes to is removed at its end.`,
		Example: `  silo run --memory 512m --cpus 1.5 -- app.exe --port 8080
  silo run --detach --name web --restart on-failure:5 --log C:\logs\web.log -- app.exe
  silo run --server --layer C:\layers\servercore --memory 1g -- cmd /c ver`,
		Args: needProgram,
		RunE: func(c *cobra.Command, args []string) error { return a.run(c, f, args) },
	}
	f.register(c.Flags())
	return c
}

// runPlan is a run that was checked and not started.
type runPlan struct {
	runFlags
	unnamed bool
	typed   []string          // what follows the verb, for silo start; nil is silo nspawn
	process *plan.HostProcess // nil with --server
	wanted  jobobject.Limits
	policy  supervisor.Policy
	stops   []supervisor.Signal
}

// planRun checks all that can be checked before something is created.
func (a *App) planRun(f *runFlags, args []string) (*runPlan, error) {
	p := &runPlan{runFlags: *f}
	var err error
	if p.wanted, err = p.limits.Apply(jobobject.Limits{KillOnClose: true}, a.Machine); err != nil {
		return nil, err
	}
	if p.policy, err = supervisor.ParsePolicy(f.restart); err != nil {
		return nil, fmt.Errorf("--restart: %w", err)
	}
	if p.stops, err = supervisor.ParseSignals(f.signals); err != nil {
		return nil, fmt.Errorf("--stop-signal: %w", err)
	}
	if f.restrict {
		p.token.AllPrivileges = true
		p.token.SIDs = append(p.token.SIDs, token.Administrators)
	}
	p.unnamed = f.name == ""
	if f.supervises != "" {
		p.name, p.detach = f.supervises, true // after silo rename and silo start the flags may have another name, and no --detach
	}
	if p.name == "" {
		p.name = a.freeName("run")
	}
	if p.detach && p.log.path == "" {
		p.log.path = a.outputFile(p.name)
	}
	if err := errors.Join(f.check(a), p.token.Validate(), p.log.resolve(), plan.ValidName("--name", p.name)); err != nil {
		return nil, err
	}
	if f.server.on {
		return p, p.checkServer()
	}
	p.token.User = f.user
	if err := p.token.Validate(); err != nil {
		return nil, err
	}
	p.process, err = a.planProgram(&f.program, args)
	return p, err
}

// freeName is a name for an unnamed container. The record of an earlier process with this pid may exist.
func (a *App) freeName(verb string) string {
	name := fmt.Sprintf("%s-%d", verb, os.Getpid())
	for n := 2; ; n++ {
		if _, err := os.Stat(a.Node.Records.Path(name)); err != nil {
			return name
		}
		name = fmt.Sprintf("%s-%d-%d", verb, os.Getpid(), n)
	}
}

func (a *App) run(c *cobra.Command, f *runFlags, args []string) error {
	p, err := a.planRun(f, args)
	if err != nil || a.checking {
		return err
	}
	if p.typed, err = a.runArguments(c); err != nil {
		return err
	}
	ctx := c.Context()
	if f.detach && f.supervises == "" {
		return a.detach(ctx, p.name, p.typed, a.Dir, a.Env)
	}
	if f.server.on {
		return a.runServer(ctx, p, args)
	}
	return a.runPlan(ctx, p)
}

// runPlan makes a job and keeps the program running in it.
func (a *App) runPlan(ctx context.Context, p *runPlan) (err error) {
	ctx, unlisten, err := a.claim(ctx, p.name, func() {})
	if err != nil {
		return err
	}
	defer unlisten()
	job, warnings, err := a.createJob(ctx, p.name, p.wanted, p.bestEffort)
	if err != nil {
		return hint(err)
	}
	user, err := p.account(a.Env)
	if err != nil {
		return errors.Join(err, job.Close())
	}
	out, err := a.route(p)
	if err != nil {
		return errors.Join(err, job.Close())
	}
	defer out.close(a)
	c, err := a.containers().Adopt(ctx, job, user, p.name, a.Node.Records.Path(p.name), p.process)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	record := p.record(node.Run, warnings, a.Now())
	record.Program = p.process.Process.Program
	journal, err := a.begin(p, record)
	if err != nil {
		return err
	}
	result, err := a.supervised(ctx, p, c, &p.process.Process, out, journal)
	return a.finish(p, record, result, startError(err), journal.close())
}

// errLimit is the error of a limit that the host cannot apply.
var errLimit = errors.New("a limit cannot be applied")

// hint adds the flag that avoids the error, if there is one.
func hint(err error) error {
	if errors.Is(err, errLimit) {
		return fmt.Errorf("%w; --best-effort makes this a warning", err)
	}
	return err
}

// createJob creates the job of a container and sets its limits. It waits for the end of an earlier job of that name, which a
// program that looks at it keeps for a moment.
func (a *App) createJob(ctx context.Context, name string, l jobobject.Limits, bestEffort bool) (*jobobject.Job, []string, error) {
	o := jobobject.Options{
		Name: node.JobName(node.Own, name), SecurityDescriptor: pipe.Owner, KillOnClose: l.KillOnClose, TrackIO: true, Kernel: a.Kernel,
	}
	job, err := jobobject.Create(o)
	if errors.Is(err, jobobject.ErrExist) {
		if err := a.awaitNoJob(ctx, node.Container{Namespace: node.Own, ID: name, Job: o.Name}); err != nil {
			return nil, nil, err
		}
		job, err = jobobject.Create(o)
	}
	if errors.Is(err, jobobject.ErrExist) {
		return nil, nil, fmt.Errorf("a container called %s is running: choose another --name, or silo stop %s", name, name)
	}
	if err != nil {
		return nil, nil, err
	}
	warnings, err := limit.Set(context.Background(), job, l, bestEffort) // a new job: there is nothing to wait for
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("%w: %w", errLimit, err), job.Close())
	}
	for _, w := range warnings {
		fmt.Fprintf(a.Stderr, "silo: warning: %s\n", w)
	}
	return job, warnings, nil
}
