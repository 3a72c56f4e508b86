package command

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/container/podinfo"
	"github.com/siloshim/siloshim/stats"
)

// psFlags are the flags of ps.
type psFlags struct {
	all     bool
	quiet   bool
	latest  bool
	last    int
	noTrunc bool
	filters []string
	format  string
}

func (a *App) psCommand() *cobra.Command {
	f := new(psFlags)
	c := &cobra.Command{
		Use: "ps", Aliases: []string{"ls", "list"}, Args: cobra.NoArgs,
		Short: "List the containers of this machine",
		Long: `Ps lists every container of this machine by its job object: those of the shim (task), of the Host Compute Service
(server), of silo run (run) and of silo attach (attach). It needs no daemon. With --all it also lists the containers of silo
run that have a record and do not run.

The states are starting, running, restarting (between two starts by a restart policy, with the number of restarts), exited,
lost (the silo that ran it has ended without recording an exit) and unknown (its record cannot be read; silo inspect says
why). An exit is shown by its reason: exited, stopped, killed, timeout or memory.

If a container is in a pod of Kubernetes, its name there, the pod and the pod's namespace are shown. --filter selects it by
pod=POD, pod=NAMESPACE/POD, or by a label: io.kubernetes.pod.name, io.kubernetes.pod.namespace, io.kubernetes.pod.uid,
io.kubernetes.container.name, and io.cri-containerd.kind, which is container or sandbox.

The fields of --format are
  ` + wrapped(fieldNames(psFields(a)), 110) + `.`,
		Example: "  silo ps\n  silo ps -a -o wide\n  silo ps -aq --filter status=exited\n  silo ps --filter pod=web-0\n  silo ps --format \"table {{.Name}}\\t{{.Status}}\"",
		RunE:    func(c *cobra.Command, _ []string) error { return a.ps(c.Context(), f) },
	}
	set := c.Flags()
	set.BoolVarP(&f.all, "all", "a", false, "also list the containers of silo run that do not run")
	set.BoolVarP(&f.quiet, "quiet", "q", false, "print names alone")
	set.StringArrayVarP(&f.filters, "filter", "f", nil, "KEY=VALUE: name=PART, status=STATE, kind=KIND, pod=POD or label=KEY[=VALUE]; may be repeated")
	set.StringVar(&f.format, "format", "", formatUsage)
	set.IntVarP(&f.last, "last", "n", -1, "list this many of the containers that started last, in any state")
	set.BoolVarP(&f.latest, "latest", "l", false, "the same as --last 1")
	set.BoolVar(&f.noTrunc, "no-trunc", false, "do not shorten long ids; --output wide does not either")
	return c
}

// psRow is a line of ps.
type psRow struct {
	Name      string        `json:"name"`
	Kind      string        `json:"kind"`
	State     node.Status   `json:"state"`
	Status    string        `json:"status"`
	Sample    *stats.Sample `json:"statistics,omitempty"`
	Processes uint32        `json:"processes"`
	Program   string        `json:"program,omitempty"`
	Log       string        `json:"log,omitempty"`
	Code      *uint32       `json:"exit_code,omitempty"` // of the latest exit
	Restarts  int           `json:"restarts"`
	Error     string        `json:"error,omitempty"` // why its record cannot be read
	Pod       *podinfo.Pod  `json:"pod,omitempty"`

	container node.Container
	shown     string // the name in a table
	started   time.Time
}

func (a *App) ps(ctx context.Context, f *psFlags) error {
	if f.latest {
		f.last = 1
	}
	filter, err := parseFilters(f.filters)
	if err != nil {
		return err
	}
	list, err := a.Node.All()
	if err != nil {
		return err
	}
	all := f.all || f.last >= 0 || filter["status"] != nil
	list = slices.DeleteFunc(list, func(c node.Container) bool { return !all && !c.Living() || !filter.match(c) })
	rows, skipped := a.psRows(ctx, list, f.noTrunc || a.output == asWide)
	if f.last >= 0 {
		slices.SortStableFunc(rows, func(x, y psRow) int { return y.started.Compare(x.started) })
		rows = rows[:min(f.last, len(rows))]
	}
	if f.quiet {
		for _, r := range rows {
			fmt.Fprintln(a.Stdout, r.shown)
		}
		return skipped
	}
	if err := showFormat(a, f.format, rows, psColumns, psFields(a)); err != nil {
		return err
	}
	return skipped
}

// psRows samples the containers that live. One that ended meanwhile and has no record is left out.
func (a *App) psRows(ctx context.Context, list []node.Container, full bool) ([]psRow, error) {
	o := a.newObserver()
	defer o.retain(nil)
	living := slices.DeleteFunc(slices.Clone(list), func(c node.Container) bool { return !c.Living() })
	views, skipped := o.samples(ctx, living)
	samples := map[string]*stats.Sample{}
	for i := range views {
		samples[views[i].Job] = &views[i].Sample
	}
	rows := []psRow{}
	for _, c := range list {
		sample := samples[c.Job]
		if !c.Living() {
			sample = nil // the job is that of a later container
		} else if sample == nil && c.Record == nil {
			continue
		}
		rows = append(rows, a.psRow(c, sample, full))
	}
	return rows, skipped
}

func (a *App) psRow(c node.Container, sample *stats.Sample, full bool) psRow {
	row := psRow{Name: c.Name(), Kind: string(c.Kind), State: c.Status, Sample: sample, Error: c.Error, Pod: c.Pod, container: c, shown: shortID(c.Name())}
	if full {
		row.shown = row.Name
	}
	if r := c.Record; r != nil {
		row.Program, row.Log, row.Restarts, row.started = r.Program, r.Log, r.Restarts, r.Started
		if e := c.LastExit(); e != nil {
			row.Code = &e.Code
		}
	}
	if sample != nil {
		row.Processes = sample.Processes.Active
		if sample.Has(stats.MetricStarted) {
			row.started = sample.Started
		}
	}
	row.Status = a.statusText(c, sample)
	return row
}

// statusText is the state of a container with what a person asks next.
func (a *App) statusText(c node.Container, sample *stats.Sample) string {
	switch {
	case c.Status == node.Running && sample != nil && sample.Has(stats.MetricStarted):
		return "running " + age(sample.Uptime)
	case c.Status == node.Restarting && c.Record.LastExit != nil:
		return fmt.Sprintf("restarting (%d), %s", c.Record.Restarts, a.exitText(c.Record.LastExit))
	case c.Status == node.Restarting:
		return fmt.Sprintf("restarting (%d)", c.Record.Restarts)
	case c.Status == node.Ended:
		return a.exitText(c.Record.Exit)
	}
	return string(c.Status)
}

func (a *App) exitText(e *node.Exit) string {
	return fmt.Sprintf("%s (%s) %s ago", e.Outcome(), codeText(e.Code), age(a.Now().Sub(e.At).Truncate(time.Second)))
}

// codeText is an exit code as it is looked up: that of an exception is written in hexadecimal.
func codeText(code uint32) string {
	if code > 0xFFFF {
		return fmt.Sprintf("0x%08X", code)
	}
	return strconv.FormatUint(uint64(code), 10)
}

var psColumns = append([]column[psRow]{
	{title: "NAME", value: func(r *psRow) string { return r.shown }},
	{title: "KIND", value: func(r *psRow) string { return r.Kind }},
	{title: "STATUS", value: func(r *psRow) string { return r.Status }},
	{title: "PROCESSES", value: func(r *psRow) string { return strconv.Itoa(int(r.Processes)) }},
	{title: "CPU", value: (*psRow).processor},
	{title: "PRIVATE", value: (*psRow).private},
	{title: "COMMIT", value: (*psRow).commit},
	{title: "PEAK", wide: true, value: (*psRow).peak},
	{title: "RESTARTS", wide: true, value: func(r *psRow) string { return strconv.Itoa(r.Restarts) }},
	{title: "PROGRAM", wide: true, value: func(r *psRow) string { return cmp.Or(r.Program, none) }},
}, podColumns(func(r *psRow) *podinfo.Pod { return r.Pod })...)

func (r *psRow) processor() string {
	if r.Sample == nil || !r.Sample.Has(stats.MetricProcessor) {
		return none
	}
	return clock(r.Sample.Processor.Total())
}

func (r *psRow) private() string {
	return bytesOr(memoryOf(r.Sample).PrivateWorkingSet, r.Sample != nil && r.Sample.Has(stats.MetricPrivateWorkingSet))
}

func (r *psRow) commit() string {
	return bytesOr(memoryOf(r.Sample).Commit, r.Sample != nil && r.Sample.Has(stats.MetricMemory))
}

func (r *psRow) peak() string {
	return bytesOr(memoryOf(r.Sample).PeakCommit, r.Sample != nil && r.Sample.Has(stats.MetricMemory))
}

func memoryOf(s *stats.Sample) stats.Memory {
	if s == nil {
		return stats.Memory{}
	}
	return s.Memory
}
