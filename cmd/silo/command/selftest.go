package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/stats"
)

func (a *App) selftestCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "selftest",
		Short: "Try what the project promises on this host",
		Long: `Selftest runs real processes (silo itself) in jobs of its own and looks whether this host keeps what silo and the shim
build on. It prints one line of JSON to send in, and a table. The exit code is 1 if a promise is broken; what the host
lacks is "missing" and breaks nothing.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.selftest(c.Context()) },
	}
}

// verdict is what became of one trial.
type verdict struct {
	Trial  string `json:"trial"`
	Result string `json:"result"` // kept, missing or broken
	Why    string `json:"why,omitempty"`
}

// evidence is the line to send in.
type evidence struct {
	Version    string    `json:"version"`
	Revision   string    `json:"revision"`
	Go         string    `json:"go"`
	OS         string    `json:"os"`
	Arch       string    `json:"arch"`
	Processors int       `json:"processors"`
	At         time.Time `json:"at"`
	Trials     []verdict `json:"trials"`
}

// trialTime bounds one trial.
const trialTime = 30 * time.Second

func (a *App) selftest(ctx context.Context) error {
	version, revision := build()
	e := evidence{version, revision, runtime.Version(), runtime.GOOS, runtime.GOARCH, a.Machine.Processors(), a.Now(), nil}
	broken := false
	for _, trial := range trials {
		ctx, cancel := context.WithTimeout(ctx, trialTime)
		err := a.try(ctx, trial.limits, trial.run)
		cancel()
		v := verdict{Trial: trial.name, Result: "kept"}
		switch {
		case errors.Is(err, jobobject.ErrNotSupported):
			v.Result, v.Why = "missing", err.Error()
		case err != nil:
			v.Result, v.Why, broken = "broken", err.Error(), true
		}
		v.Why = strings.ReplaceAll(v.Why, "\n", "; ")
		e.Trials = append(e.Trials, v)
	}
	if err := json.NewEncoder(a.Stdout).Encode(e); err != nil {
		return err
	}
	if a.output != asJSON {
		if err := show(a, e.Trials, verdictColumns); err != nil {
			return err
		}
	}
	if broken {
		return exit(1)
	}
	return nil
}

// try makes a job with limits for one trial.
func (a *App) try(ctx context.Context, l jobobject.Limits, run func(context.Context, *stage) error) (err error) {
	job, err := jobobject.Create(jobobject.Options{KillOnClose: true, TrackIO: true, Kernel: a.Kernel})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, job.Close()) }()
	l.KillOnClose = true
	if err := job.SetLimits(l); err != nil {
		return err
	}
	s := &stage{app: a, job: job}
	defer func() { err = errors.Join(err, s.close()) }()
	return run(ctx, s)
}

// stage is the job of a trial with what runs in it.
type stage struct {
	app       *App
	job       *jobobject.Job
	processes []*jobobject.Process
}

// start runs silo itself in the job.
func (s *stage) start(args ...string) (*jobobject.Process, error) {
	o, err := s.app.program(&programFlags{}, append([]string{s.app.Self}, args...))
	if err != nil {
		return nil, err
	}
	p, err := s.job.Start(o)
	if err == nil {
		s.processes = append(s.processes, p)
	}
	return p, err
}

// idle runs a silo that ends only when it is ended.
func (s *stage) idle() (*jobobject.Process, error) { return s.start("events", "--interval", "1h") }

func (s *stage) close() error {
	var errs []error
	for _, p := range s.processes {
		errs = append(errs, p.Close())
	}
	return errors.Join(errs...)
}

// ends wants a process to end with a code.
func ends(ctx context.Context, p *jobobject.Process, want uint32) error {
	code, err := p.Wait(ctx)
	if err == nil && code != want {
		err = fmt.Errorf("exit code %d, want %d", code, want)
	}
	return err
}

// told wants a sample to have a figure.
func told(s *stats.Sample, figures ...stats.Figure) error {
	for _, f := range figures {
		if !s.Has(f) {
			return fmt.Errorf("%v: %w", f, errors.Join(jobobject.ErrNotSupported, s.Figures[f].Err))
		}
	}
	return nil
}

var verdictColumns = []column[verdict]{
	{title: "TRIAL", value: func(v *verdict) string { return v.Trial }},
	{title: "RESULT", value: func(v *verdict) string { return v.Result }},
	{title: "WHY", value: func(v *verdict) string { return v.Why }},
}
