package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/siloshim/siloshim/cmd/silo/limit"
	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/cmd/silo/supervisor"
	"github.com/siloshim/siloshim/cmd/silo/token"
	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/internal/pipe"
	"github.com/siloshim/siloshim/jobobject"
)

// runFlags are the flags of run.
type runFlags struct {
	name       string
	limits     limit.Flags
	program    programFlags
	token      token.Restriction
	restrict   bool
	restart    string
	signals    string
	grace      time.Duration
	timeout    time.Duration
	log        logFlags
	bestEffort bool
	detach     bool
	user       string
	server     serverFlags
	keepLog    bool     // of keepLogFlag
	typed      []string // what follows the verb, for silo start
}

// keepLogFlag is a hidden flag of silo run: the container goes on with the output of the one that had its name before.
const keepLogFlag = "keep-log"

func (a *App) runCommand() *cobra.Command {
	f := new(runFlags)
	c := &cobra.Command{
		Use:   "run [flags] -- program [args...]",
		Short: "Run a program in a job, with limits",
		Long: `Run starts a program in a new job object and waits for it. All that the program starts belongs to the job,
unless --breakaway lets it go, and ends with the program, with silo, or with silo stop. The exit code is the program's:
137 where it had to be killed, 124 where --timeout ended it.

A limit that this host cannot apply is an error, and nothing is started. With --best-effort it is a warning, which
silo inspect shows.

With --server the program runs in a Windows Server container over --layer instead, without our input, and with the
network and the directories that --network and --mount name; the layer that it writes to is removed at its end.`,
		Example: `  silo run --memory 512m --cpus 1.5 -- app.exe --port 8080
  silo run --detach --name web --restart on-failure:5 --log C:\logs\web.log -- app.exe
  silo run --server --layer C:\layers\servercore --memory 1g -- cmd /c ver`,
		Args: needProgram,
		RunE: func(c *cobra.Command, args []string) (err error) {
			if _, f.typed, err = c.Root().Find(a.args); err != nil {
				return err
			}
			return a.run(c.Context(), f, args)
		},
	}
	set := c.Flags()
	set.SetInterspersed(false)
	set.StringVar(&f.name, "name", "", "name of the container; its pid makes one otherwise")
	set.StringVar(&f.restart, "restart", "no", "start it anew when it ends: no, always, on-failure or on-failure:COUNT; pauses grow from 100ms to 1m")
	set.StringVar(&f.signals, "stop-signal", "ctrl-c,ctrl-break", "events that ask it to end, one after the other")
	set.DurationVar(&f.grace, "stop-grace", 10*time.Second, "time to answer each of them; then the job is terminated")
	set.DurationVar(&f.timeout, "timeout", 0, "end it after this time; 0 is never")
	f.log.register(set)
	set.BoolVar(&f.bestEffort, "best-effort", false, "warn of limits that cannot be applied instead of refusing")
	set.BoolVarP(&f.detach, "detach", "d", false, "return when it has started; output goes to a file")
	set.BoolVar(&f.restrict, "restricted", false, "run without privileges, and with Administrators to deny only")
	set.StringSliceVar(&f.token.Privileges, "drop-privilege", nil, "privilege to take away, such as SeDebugPrivilege; may be repeated")
	set.StringSliceVar(&f.token.SIDs, "deny-sid", nil, "SID or account that can only deny; may be repeated")
	set.StringVar(&f.token.Integrity, "integrity", "", "integrity level: untrusted, low or medium")
	set.StringVar(&f.user, "user", "", "service account to run as, such as \"NT AUTHORITY\\Local Service\"; with --server any user of the layers")
	f.server.register(set)
	f.limits.Register(set)
	f.program.register(set)
	set.BoolVar(&f.keepLog, keepLogFlag, false, "")
	set.Lookup(keepLogFlag).Hidden = true
	return c
}

// runPlan is a run that was checked and not started.
type runPlan struct {
	runFlags
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
	if name := lookupEnv(a.Env, detachedEnv); name != "" {
		p.name, p.detach = name, true // silo start may have another name than the flags, and needs no --detach
	}
	if p.name == "" {
		p.name = fmt.Sprintf("run-%d", os.Getpid())
	}
	switch {
	case f.grace < 0 || f.timeout < 0:
		return nil, errors.New("--stop-grace and --timeout cannot be negative")
	}
	if err := errors.Join(p.token.Validate(), p.log.validate(), plan.ValidName("--name", p.name)); err != nil {
		return nil, err
	}
	if p.detach && p.log.path == "" {
		p.log.path = filepath.Join(a.Node.Records.Path(p.name), "output.log")
	}
	if f.server.on {
		return p, p.checkServer()
	}
	if f.server.given() {
		return nil, errors.New("--layer, --mount and --network are for --server")
	}
	p.token.User = f.user
	if err := p.token.Validate(); err != nil {
		return nil, err
	}
	p.process, err = a.planProgram(&f.program, args)
	return p, err
}

func (a *App) run(ctx context.Context, f *runFlags, args []string) error {
	p, err := a.planRun(f, args)
	if err != nil {
		return err
	}
	if f.detach && lookupEnv(a.Env, detachedEnv) == "" {
		return a.detach(ctx, p.name, f.typed, a.Dir, a.Env)
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
	job, warnings, err := a.createJob(p.name, p.wanted, p.bestEffort)
	if err != nil {
		return hint(err)
	}
	user, err := p.account(a.Env)
	if err != nil {
		return errors.Join(err, job.Close())
	}
	c, err := a.containers().Adopt(ctx, job, user, p.name, a.Node.Records.Path(p.name), p.process)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	a.storeLaunch(p)
	record := p.record(node.Run, warnings, a.Now())
	record.Program = p.process.Process.Program
	for _, s := range p.stops {
		record.Signals = append(record.Signals, s.String())
	}
	journal := newJournal(a.Node.Records, record)
	out, closeLog := a.route(p)
	result, err := a.supervised(ctx, p, c, &p.process.Process, out, journal)
	err = errors.Join(err, closeLog())
	lost := journal.close()
	if err != nil && result.Reason == "" {
		return errors.Join(startError(err), lost, a.Node.Records.Remove(p.name))
	}
	return a.finish(p, record, result, errors.Join(err, lost))
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

// createJob creates the job of a container and sets its limits.
func (a *App) createJob(name string, l jobobject.Limits, bestEffort bool) (*jobobject.Job, []string, error) {
	job, err := jobobject.Create(jobobject.Options{
		Name: node.JobName(node.Own, name), SecurityDescriptor: pipe.Owner, KillOnClose: l.KillOnClose, TrackIO: true, Kernel: a.Kernel,
	})
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

// record is the record of the container before its start.
func (p *runPlan) record(kind node.Kind, warnings []string, now time.Time) *node.Record {
	return &node.Record{
		Kind: kind, ID: p.name, Supervisor: uint32(os.Getpid()), Log: p.log.path, Warnings: warnings, GraceNS: int64(p.grace), Started: now,
	}
}

// supervised keeps the program of a container running, and the journal up to date.
func (a *App) supervised(ctx context.Context, p *runPlan, c container.Container, process *plan.Process, out streams, j *journal) (supervisor.Result, error) {
	ready := detached(a, p.name)
	return supervisor.Run(ctx, supervisor.Options{
		Container: c, Process: process, Stdin: out.stdin, Stdout: out.stdout, Stderr: out.stderr,
		Policy: p.policy, Signals: p.stops, Grace: p.grace, Timeout: p.timeout,
		Notice: func(n container.Notice) { j.observe(n.Kind) },
		Observe: func(e supervisor.Event) {
			if e.Pid == 0 {
				fmt.Fprintf(a.Stderr, "silo: %s ended with code %d; starting it anew in %v\n", p.name, e.Code, e.Pause)
				return
			}
			j.update(func(r *node.Record) { r.Pid, r.Restarts = e.Pid, e.Restarts })
			ready()
		},
	})
}

// finish writes how a run ended, and returns its exit code. What has failed beside the program is a warning.
func (a *App) finish(p *runPlan, record *node.Record, result supervisor.Result, failed error) error {
	record.Exit = &node.Exit{Code: result.Code, Reason: string(result.Reason), At: a.Now()}
	if err := errors.Join(failed, a.endRecord(p, record)); err != nil {
		fmt.Fprintf(a.Stderr, "silo: warning: %v\n", err)
	}
	if result.Code != 0 {
		return exit(result.Code)
	}
	return nil
}

// endRecord keeps the record of a named container, for silo wait and silo logs, and removes any other.
func (a *App) endRecord(p *runPlan, record *node.Record) error {
	if suffix := fmt.Sprintf("-%d", os.Getpid()); record.ID == "run"+suffix || record.ID == "nspawn"+suffix {
		return a.Node.Records.Remove(p.name)
	}
	return a.Node.Records.Write(record)
}
