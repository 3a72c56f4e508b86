package command

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/siloshim/siloshim/internal/size"
	"github.com/siloshim/siloshim/stats"
)

func (a *App) statsCommand() *cobra.Command {
	var stream bool
	var count int
	var interval time.Duration
	c := &cobra.Command{
		Use:   "stats [container...]",
		Short: "Show what containers use",
		Long: `Stats shows processor, memory and storage of the containers named, or of all. It asks each container's job object
and no daemon. A metric that this host does not report is "-", never 0; silo inspect gives the reason.`,
		Example: "  silo stats\n  silo stats --stream web",
		RunE: func(c *cobra.Command, args []string) error {
			if !stream {
				count = 1
			}
			return a.stats(c.Context(), args, interval, count)
		},
	}
	c.Flags().BoolVarP(&stream, "stream", "s", false, "go on until Ctrl+C")
	c.Flags().IntVar(&count, "count", 0, "looks to take with --stream; 0 is without bound")
	c.Flags().DurationVar(&interval, "interval", time.Second, "time between two looks")
	return c
}

// statsRow is a container with what it used of the processors since the look before.
type statsRow struct {
	Name   string       `json:"name"`
	CPUs   *float64     `json:"cpus,omitempty"`
	Sample stats.Sample `json:"statistics"`
}

func (a *App) stats(ctx context.Context, refs []string, interval time.Duration, count int) error {
	if interval <= 0 {
		return fmt.Errorf("--interval must be above zero")
	}
	tick := time.NewTicker(interval)
	defer tick.Stop()
	o := a.newObserver()
	defer o.retain(nil)
	before := map[string]stats.Sample{}
	for n := 1; ; n++ {
		list, err := a.named(refs)
		if err != nil {
			return err
		}
		views, skipped := o.samples(ctx, list)
		rows, now := []statsRow{}, map[string]stats.Sample{}
		for _, v := range views {
			row := statsRow{Name: v.Name(), Sample: v.Sample}
			if was, ok := before[v.Job]; ok {
				row.CPUs = cpus(was, v.Sample)
			}
			now[v.Job] = v.Sample
			rows = append(rows, row)
		}
		if err := show(a, rows, statsColumns); err != nil || n == count {
			return firstError(err, skipped)
		}
		before = now
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// firstError is the first error there is.
func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// cpus is how many processors were kept busy between two samples.
func cpus(was, is stats.Sample) *float64 {
	span := is.Timestamp.Sub(was.Timestamp)
	if span <= 0 || !was.Has(stats.MetricProcessor) || !is.Has(stats.MetricProcessor) {
		return nil
	}
	n := float64(is.Processor.Total()-was.Processor.Total()) / float64(span)
	return &n
}

var statsColumns = []column[statsRow]{
	{title: "NAME", value: func(r *statsRow) string { return r.Name }},
	{title: "CPUS", value: func(r *statsRow) string {
		if r.CPUs == nil {
			return none
		}
		return fmt.Sprintf("%.2f", *r.CPUs)
	}},
	{title: "CPU TIME", value: func(r *statsRow) string {
		if !r.Sample.Has(stats.MetricProcessor) {
			return none
		}
		return clock(r.Sample.Processor.Total())
	}},
	{title: "COMMIT", value: func(r *statsRow) string { return bytesOr(r.Sample.Memory.Commit, r.Sample.Has(stats.MetricMemory)) }},
	{title: "LIMIT", value: func(r *statsRow) string {
		return bytesOr(r.Sample.Limits.CommitBytes, r.Sample.Has(stats.MetricLimits) && r.Sample.Limits.CommitBytes != 0)
	}},
	{title: "PRIVATE", value: func(r *statsRow) string {
		return bytesOr(r.Sample.Memory.PrivateWorkingSet, r.Sample.Has(stats.MetricPrivateWorkingSet))
	}},
	{title: "WORKING SET", wide: true, value: func(r *statsRow) string {
		return bytesOr(r.Sample.Memory.WorkingSet, r.Sample.Has(stats.MetricWorkingSet))
	}},
	{title: "READ / WRITTEN", value: func(r *statsRow) string {
		if !r.Sample.Has(stats.MetricStorage) {
			return none
		}
		return size.Format(r.Sample.Storage.ReadBytes) + " / " + size.Format(r.Sample.Storage.WriteBytes)
	}},
	{title: "PROCESSES", value: func(r *statsRow) string { return strconv.Itoa(int(r.Sample.Processes.Active)) }},
	{title: "ENDED BY LIMIT", wide: true, value: func(r *statsRow) string { return strconv.Itoa(int(r.Sample.Processes.Terminated)) }},
	{title: "VIOLATIONS", wide: true, value: func(r *statsRow) string {
		if !r.Sample.Has(stats.MetricViolations) {
			return none
		}
		return strconv.FormatUint(r.Sample.Violations.Total(), 10)
	}},
}
