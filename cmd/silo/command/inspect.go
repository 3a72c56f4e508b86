package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/template"
	"time"

	"github.com/spf13/cobra"

	"github.com/siloshim/siloshim/cmd/silo/limit"
	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/cmd/silo/supervisor"
	"github.com/siloshim/siloshim/jobobject"
)

func (a *App) inspectCommand() *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:   "inspect container...",
		Short: "Show limits, statistics and processes of containers, as JSON",
		Long: `Inspect shows the limits that the kernel reports, the statistics with the source and quality of each, and the
processes. Limits of an outer job also apply and are not shown. For a container of silo run it shows the record, also after
its exit: the exit code with its meaning, and its reason: the program exited (exited, memory), exited after a stop signal
(stopped), or was terminated (killed, timeout). While a restart policy starts it again, the exit is that of the start before.

A template of --format has the keys of the JSON, as in "{{.record.exit.code}}", and docker's names for some of them: .Id .Name
.Created .RestartCount .LogPath, and of .State .Status .Running .Restarting .OOMKilled .Pid .ExitCode .Error .StartedAt
.FinishedAt, and of .Config .Labels, the labels of a container in a pod. If a container cannot be shown the others are, and
the exit code is 1.`,
		Example: "  silo inspect web\n  silo inspect k8s.io/web\n  silo inspect --format \"{{.status}} {{.record.pid}}\" web",
		Args:    cobra.MinimumNArgs(1),
		RunE:    func(c *cobra.Command, args []string) error { return a.inspect(c.Context(), args, format) },
	}
	c.Flags().StringVarP(&format, "format", "f", "", "Go template for each container, or json for a line of JSON per container")
	return c
}

// details are what inspect prints of a running container.
type details struct {
	view
	Meaning     string          `json:"exit_meaning,omitempty"`
	Limits      []limit.Line    `json:"limits"`
	LimitsError string          `json:"limits_error,omitempty"` // why the kernel did not report them
	Silo        *jobobject.Silo `json:"silo,omitempty"`
	Machine     limit.Machine   `json:"machine"`
}

// past is what inspect prints of a container without a job.
type past struct {
	node.Container
	Meaning string `json:"exit_meaning,omitempty"`
}

func (a *App) inspect(ctx context.Context, refs []string, format string) error {
	printAll, err := a.inspectPrinter(format)
	if err != nil {
		return err
	}
	o := a.newObserver()
	defer o.retain(nil)
	all := []any{}
	failed := false
	for _, ref := range refs {
		shown, err := a.inspected(ctx, o, ref)
		if shown != nil {
			all = append(all, shown)
		}
		if err != nil {
			failed = true
			fmt.Fprintf(a.Stderr, "silo: %s\n", printable(oneLine(err)))
		}
	}
	if err := printAll(all); err != nil {
		return err
	}
	if failed {
		return exit(codeSome)
	}
	return nil
}

// inspected returns what there is to print of a container. A record that cannot be read is an error beside it.
func (a *App) inspected(ctx context.Context, o *observer, ref string) (any, error) {
	c, err := a.Node.FindAny(ref)
	if err != nil {
		return nil, err
	}
	if c.Error != "" {
		err = fmt.Errorf("%s: %s", c.Name(), c.Error)
	}
	if c.Living() {
		d, lookErr := a.details(ctx, o, c)
		if !errors.Is(lookErr, node.ErrNotFound) {
			return d, errors.Join(err, lookErr)
		}
		if c.Record == nil {
			return nil, lookErr
		}
	}
	return past{c, meaning(c)}, err
}

// meaning describes the latest exit.
func meaning(c node.Container) string {
	if e := c.LastExit(); e != nil {
		return e.Meaning()
	}
	return ""
}

// inspectPrinter returns the function that prints containers as --format says.
func (a *App) inspectPrinter(format string) (func([]any) error, error) {
	switch strings.TrimSpace(format) {
	case "":
		return func(all []any) error { return a.showJSON(all) }, nil
	case asJSON:
		return func(all []any) error { return (&formatter[any]{json: true}).print(a.Stdout, all) }, nil
	}
	t, err := parseFormat(format)
	if err == nil {
		t.Option("missingkey=default") // a key without a value is left out of the JSON
	}
	return func(all []any) error {
		for _, v := range all {
			if err := executeJSON(a, t, v); err != nil {
				return err
			}
		}
		return nil
	}, err
}

// executeJSON executes a template with the JSON form of a value.
func executeJSON(a *App, t *template.Template, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var fields map[string]any
	if err := d.Decode(&fields); err != nil {
		return err
	}
	switch v := v.(type) {
	case details:
		addDockerNames(fields, v.Container)
	case past:
		addDockerNames(fields, v.Container)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, fields); err != nil {
		return fmt.Errorf("--format: %s; the keys are those that silo inspect prints", templateError(err))
	}
	_, err = a.Stdout.Write(printableLines(out.Bytes()))
	return err
}

// addDockerNames adds docker's names of what a container has.
func addDockerNames(fields map[string]any, c node.Container) {
	state := map[string]any{
		"Status": c.Status, "Running": c.Status == node.Running, "Restarting": c.Status == node.Restarting,
		"OOMKilled": false, "Pid": uint32(0), "ExitCode": uint32(0), "Error": c.Error, "StartedAt": time.Time{}, "FinishedAt": time.Time{},
	}
	fields["Id"], fields["Name"], fields["State"] = c.ID, c.Name(), state
	fields["Created"], fields["RestartCount"], fields["LogPath"] = time.Time{}, 0, ""
	fields["Config"] = map[string]any{"Labels": podLabels(c.Pod)}
	if r := c.Record; r != nil {
		fields["Created"], fields["RestartCount"], fields["LogPath"] = r.Started, r.Restarts, r.Log
		state["StartedAt"] = r.Started
		if c.Status == node.Running {
			state["Pid"] = r.Pid
		}
	}
	if e := c.LastExit(); e != nil {
		state["ExitCode"], state["FinishedAt"], state["OOMKilled"] = e.Code, e.At, e.Reason == string(supervisor.Memory)
		if e.Error != "" {
			state["Error"] = e.Error
		}
	}
}

func (a *App) details(ctx context.Context, o *observer, c node.Container) (d details, err error) {
	d.Machine, d.Limits, d.Meaning = a.Machine, []limit.Line{}, meaning(c)
	if d.view, err = o.sample(ctx, c); err != nil {
		return d, err
	}
	if d.Processes, err = o.collector(c).Processes(ctx); err != nil {
		return d, fmt.Errorf("%s: %w", c.Name(), err)
	}
	err = a.look(c, jobobject.AccessQuery, func(job *jobobject.Job) error {
		if l, err := job.QueryLimits(ctx); err != nil {
			d.LimitsError = err.Error()
		} else {
			d.Limits = append(d.Limits, limit.Describe(l, a.Machine)...)
		}
		switch silo, err := job.Silo(); {
		case err == nil:
			d.Silo = &silo
		case !errors.Is(err, jobobject.ErrNotSilo) && !errors.Is(err, jobobject.ErrNotSupported):
			return fmt.Errorf("%s: %w", c.Name(), err)
		}
		return nil
	})
	return d, err
}
