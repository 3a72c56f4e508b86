package command

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/siloshim/siloshim/cmd/silo/damon"
	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/cmd/silo/supervisor"
	"github.com/siloshim/siloshim/cmd/silo/token"
	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/internal/buildinfo"
	"github.com/siloshim/siloshim/jobobject"
)

// The exit codes of Damon for what is not the program's own.
const (
	damonFailed = 1   // nothing was started
	damonLost   = 254 // the program could not be waited for
)

// damonGrace is how long Damon waited after Ctrl+Break.
const damonGrace = 30 * time.Second

func (a *App) superviseCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "supervise program [args...]",
		Short: "Run a program under the contract of Damon, for Nomad tasks",
		Long: `Supervise runs a program with the limits, log and metrics of the variables DAMON_* and NOMAD_*, as damon.exe does. Copied
to damon.exe, silo is this verb. Unlike Damon it starts nothing if a variable is invalid or a limit cannot be applied. The
exit code is the program's, 1 if nothing was started, and 254 if the program was lost.

  DAMON_LOG_DIR, DAMON_LOG_NAME, DAMON_NOMAD_LOG_SUFFIX, DAMON_LOG_MAX_SIZE, DAMON_LOG_MAX_FILES
  DAMON_CPU_LIMIT (MHz), DAMON_ENFORCE_CPU_LIMIT, DAMON_MEMORY_LIMIT (MB), DAMON_ENFORCE_MEMORY_LIMIT
  DAMON_RESTRICTED_TOKEN, DAMON_ADDR, DAMON_METRICS_ENDPOINT
  DAMON_METRICS_COMPAT: n leaves out the metrics damon_*; default: y
  DAMON_STOP_SIGNAL: events that a stop sends, one after the other, such as ctrl-c,ctrl-break; default: ctrl-break
  NOMAD_ALLOC_DIR, NOMAD_TASK_NAME, NOMAD_CPU_LIMIT, NOMAD_MEMORY_LIMIT, NOMAD_MEMORY_MAX_LIMIT, NOMAD_ADDR_damon, and the
  labels NOMAD_DC, NOMAD_REGION, NOMAD_JOB_NAME, NOMAD_GROUP_NAME, NOMAD_ALLOC_ID, NOMAD_ALLOC_INDEX`,
		Example:            "  silo supervise myservice.exe --port 8080\n  damon.exe myservice.exe --port 8080",
		DisableFlagParsing: true, // all of it is the program's
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 && (args[0] == "--help" || args[0] == "-h") {
				return c.Help()
			}
			if len(args) > 0 && args[0] == "--" {
				args = args[1:]
			}
			return a.supervise(c.Context(), args)
		},
	}
}

// supervise is Damon: without arguments it prints its version.
func (a *App) supervise(ctx context.Context, args []string) error {
	if len(args) == 0 && a.checking {
		return needProgram(nil, args)
	}
	if len(args) == 0 {
		return a.version()
	}
	config, err := damon.FromEnvironment(func(name string) string { return lookupEnv(a.Env, name) }, a.Dir)
	if err != nil {
		return &failure{damonFailed, fmt.Errorf("nothing was started: %w", err)}
	}
	if a.checking {
		_, err := (&task{app: a, config: config}).limits()
		if err == nil {
			_, err = a.planProgram(&programFlags{}, args)
		}
		return err
	}
	s := &task{app: a, config: config, name: taskName(a.Env)}
	log, file, err := damon.NewLog(config, s.outputs.changed)
	if err != nil {
		return &failure{damonFailed, err}
	}
	s.log, s.outputs.log, s.outputs.destinations = log, file, []destination{{"log", file}}
	defer s.outputs.close(a)
	result, err := s.run(ctx, args)
	switch {
	case err != nil && s.pid == 0:
		log.Error("damon startup error", "error", err.Error())
		return &failure{damonFailed, err}
	case err != nil:
		log.Error("process exited with an error", "error", err.Error())
		return &failure{damonLost, err}
	case result.Code != 0:
		return exit(result.Code)
	}
	return nil
}

// taskName names the container after its Nomad task. The pid is in it, because Nomad may start a task anew before the
// kernel has forgotten the one before.
func taskName(env []string) string {
	name := fmt.Sprintf("%s-%d", lookupEnv(env, "NOMAD_TASK_NAME"), os.Getpid())
	if plan.ValidID(name) != nil {
		return fmt.Sprintf("damon-%d", os.Getpid())
	}
	return name
}

// task is one run under Damon's contract.
type task struct {
	app     *App
	config  *damon.Config
	log     *slog.Logger
	name    string
	outputs outputs // of the log; the program inherits our streams
	pid     uint32  // of the program, once it has started
}

func (t *task) run(ctx context.Context, args []string) (result supervisor.Result, err error) {
	began := t.app.Now()
	version, revision := buildinfo.Read()
	t.log.Info("damon starting", "cmdline", args[:1], "args", len(args)-1, "revision", revision, "version", version)
	planned, err := t.app.planProgram(&programFlags{}, args)
	if err != nil {
		return result, err
	}
	limits, err := t.limits()
	if err != nil {
		return result, err
	}
	ctx, unlisten, err := t.app.claim(ctx, t.name, func() { t.log.Info("win32: command termination requested") })
	if err != nil {
		return result, err
	}
	defer unlisten()
	job, _, err := t.app.createJob(ctx, t.name, limits, false)
	if err != nil {
		return result, err
	}
	user, err := t.restrict()
	if err != nil {
		return result, errors.Join(err, job.Close())
	}
	c, err := t.app.containers().Adopt(ctx, job, programUser{user, t.app.Env}, t.name, t.app.Node.Records.Path(t.name), planned)
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	result, err = t.keep(ctx, job, c, &planned.Process)
	if err == nil {
		end := t.app.Now()
		t.log.Info(fmt.Sprintf("process exited: %d", result.Code), "reason", string(result.Reason))
		t.log.Info("damon exiting", "start", began.Format(time.RFC3339), "end", end.Format(time.RFC3339),
			"run_time", end.Sub(began).String(), "exit_status", result.Code)
	}
	return result, err
}

// keep runs the program with metrics beside it.
func (t *task) keep(ctx context.Context, job *jobobject.Job, c container.Container, process *plan.Process) (supervisor.Result, error) {
	metrics := damon.NewMetrics(job, t.config, t.app.Machine.Processors(), t.app.Machine.MHz, t.app.Now)
	listener := t.listen()
	p := &runPlan{stops: t.config.StopSignals}
	p.name, p.grace = t.name, duration(damonGrace)
	record := p.record(node.Run, nil, t.app.Now())
	record.Program, record.Metrics = process.Program, t.url(listener)
	journal := newJournal(t.app.Node.Records, record)
	journal.watch(&t.outputs)
	keep := func(change func(*node.Record)) {
		if err := journal.write(change); err != nil {
			t.log.Warn("silo ps will not know the program", "error", err.Error())
		}
	}
	keep(func(*node.Record) {})
	defer t.serve(listener, c, metrics, journal)()
	out := t.app.streams()
	result, err := supervisor.Run(ctx, supervisor.Options{
		Container: c, Process: process, Stdin: out.stdin, Stdout: out.stdout, Stderr: out.stderr,
		Signals: p.stops, Grace: damonGrace,
		Warn: func(err error) { t.log.Warn("supervisor", "error", err.Error()) },
		Observe: func(e supervisor.Event) {
			if e.Pid == 0 {
				return
			}
			t.pid = e.Pid
			metrics.SetRoot(e.Pid)
			keep(func(r *node.Record) { recordEvent(r, e, t.app.Now()) })
		},
		Notice: func(n container.Notice) {
			metrics.Observe(jobobject.Message{Kind: n.Kind, Pid: n.Pid})
			journal.observe(n.Kind)
		},
	})
	if jerr := journal.close(); jerr != nil {
		t.log.Warn("silo stats did not know the violations of limits", "error", jerr.Error())
	}
	if rerr := t.app.Node.Records.Remove(t.name); rerr != nil {
		t.log.Warn("record left behind", "error", rerr.Error())
	}
	return result, err
}

// limits are those that are to be enforced.
func (t *task) limits() (jobobject.Limits, error) {
	c, m := t.config, t.app.Machine
	l := jobobject.Limits{KillOnClose: true}
	if c.EnforceMem {
		l.JobMemory = c.HardMemoryMB << 20
	}
	if c.EnforceCPU && c.CPUMHz > 0 {
		if m.MHz == 0 {
			return l, errors.New("the CPU limit is in MHz and the speed of this machine's processors is unknown")
		}
		l.CPURate, l.CPUNotify = jobobject.RateOfMHz(c.CPUMHz, m.Processors(), m.MHz), true
	}
	return l, l.Validate()
}

func (t *task) restrict() (*token.Token, error) {
	if !t.config.Restricted {
		return nil, nil
	}
	t.log.Info("creating restricted token")
	return token.New(&token.Restriction{AllPrivileges: true, SIDs: []string{token.Administrators}})
}
