package command

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/siloshim/siloshim/stats"
)

func (a *App) psCommand() *cobra.Command {
	var all bool
	c := &cobra.Command{
		Use: "ps", Aliases: []string{"ls", "list"}, Args: cobra.NoArgs,
		Short: "List the containers of this machine",
		Long: `Ps lists every container of this machine by its job object: those of the shim (task), of the Host Compute Service
(server), of silo run (run) and of silo attach (attach). It needs no daemon.`,
		Example: "  silo ps\n  silo ps -a -o wide",
		RunE:    func(c *cobra.Command, _ []string) error { return a.ps(c.Context(), all) },
	}
	c.Flags().BoolVarP(&all, "all", "a", false, "also list the containers of silo run that have exited")
	return c
}

// psRow is a line of ps.
type psRow struct {
	Name      string        `json:"name"`
	Kind      string        `json:"kind"`
	Status    string        `json:"status"`
	Sample    *stats.Sample `json:"statistics,omitempty"`
	Processes uint32        `json:"processes"`
	Program   string        `json:"program,omitempty"`
	Log       string        `json:"log,omitempty"`
	Code      *uint32       `json:"exit_code,omitempty"`
	Restarts  int           `json:"restarts"`
}

func (a *App) ps(ctx context.Context, all bool) error {
	list, err := a.Node.Containers()
	if err != nil {
		return err
	}
	o := a.newObserver()
	defer o.retain(nil)
	views, skipped := o.samples(ctx, list)
	rows := []psRow{}
	alive := map[string]bool{}
	for i := range views {
		v := &views[i]
		row := psRow{Name: v.Name(), Kind: string(v.Kind), Status: "running", Sample: &v.Sample, Processes: v.Sample.Processes.Active}
		if v.Sample.Has(stats.MetricStarted) {
			row.Status = "running " + age(v.Sample.Uptime)
		}
		if r := v.Record; r != nil {
			row.Program, row.Log, row.Restarts = r.Program, r.Log, r.Restarts
			alive[r.ID] = true
		}
		rows = append(rows, row)
	}
	if all {
		records, err := a.Node.Records.All()
		if err != nil {
			return err
		}
		for _, r := range records {
			if alive[r.ID] {
				continue
			}
			row := psRow{Name: "silo/" + r.ID, Kind: string(r.Kind), Status: "lost", Program: r.Program, Log: r.Log, Restarts: r.Restarts}
			if r.Exit != nil {
				row.Status = fmt.Sprintf("%s (%d) %s ago", r.Exit.Reason, r.Exit.Code, age(a.Now().Sub(r.Exit.At).Truncate(time.Second)))
				row.Code = &r.Exit.Code
			}
			rows = append(rows, row)
		}
	}
	if err := show(a, rows, psColumns); err != nil {
		return err
	}
	return skipped
}

var psColumns = []column[psRow]{
	{title: "NAME", value: func(r *psRow) string { return r.Name }},
	{title: "KIND", value: func(r *psRow) string { return r.Kind }},
	{title: "STATUS", value: func(r *psRow) string { return r.Status }},
	{title: "PROCESSES", value: func(r *psRow) string { return strconv.Itoa(int(r.Processes)) }},
	{title: "CPU", value: func(r *psRow) string {
		if r.Sample == nil || !r.Sample.Has(stats.MetricProcessor) {
			return none
		}
		return clock(r.Sample.Processor.Total())
	}},
	{title: "PRIVATE", value: func(r *psRow) string {
		return bytesOr(memoryOf(r.Sample).PrivateWorkingSet, r.Sample != nil && r.Sample.Has(stats.MetricPrivateWorkingSet))
	}},
	{title: "COMMIT", value: func(r *psRow) string {
		return bytesOr(memoryOf(r.Sample).Commit, r.Sample != nil && r.Sample.Has(stats.MetricMemory))
	}},
	{title: "PEAK", wide: true, value: func(r *psRow) string {
		return bytesOr(memoryOf(r.Sample).PeakCommit, r.Sample != nil && r.Sample.Has(stats.MetricMemory))
	}},
	{title: "RESTARTS", wide: true, value: func(r *psRow) string { return strconv.Itoa(r.Restarts) }},
	{title: "PROGRAM", wide: true, value: func(r *psRow) string { return r.Program }},
}

func memoryOf(s *stats.Sample) stats.Memory {
	if s == nil {
		return stats.Memory{}
	}
	return s.Memory
}
