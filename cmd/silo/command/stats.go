package command

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/container/podinfo"
	"github.com/siloshim/siloshim/stats"
)

// statsFlags are the flags of stats.
type statsFlags struct {
	lookFlags
	stream, once bool
	format       string
}

func (a *App) statsCommand() *cobra.Command {
	f := new(statsFlags)
	c := &cobra.Command{
		Use:   "stats [container...]",
		Short: "Show what containers use",
		Long: `Stats shows processor, memory and storage of the containers named, or of all. On a terminal it shows them again every
--interval, until Ctrl+C or until the last of the containers named has ended. Elsewhere, and with --no-stream or
--output json, it measures twice, so that CPUS has a value, and prints once.

It queries each container's job object and no daemon. A metric that this host does not report is "-", never 0;
silo inspect gives the reason.

The fields of --format are
  ` + wrapped(fieldNames(statsFields), 110) + `.`,
		Example: "  silo stats\n  silo stats --no-stream web\n  silo stats --stream -o json web",
		RunE:    func(c *cobra.Command, args []string) error { return a.stats(c.Context(), f, args) },
	}
	c.Flags().IntVar(&f.count, "count", 0, "number of looks with --stream; 0 is without end")
	c.Flags().DurationVar(&f.interval, "interval", time.Second, "time between two looks")
	c.Flags().BoolVarP(&f.stream, "stream", "s", false, "look again and again, until Ctrl+C; the default for tables on a terminal")
	c.Flags().BoolVar(&f.once, "no-stream", false, "measure twice and print once")
	c.Flags().StringVar(&f.format, "format", "", formatUsage)
	c.MarkFlagsMutuallyExclusive("stream", "no-stream")
	c.MarkFlagsMutuallyExclusive("count", "no-stream")
	return c
}

// statsRow is a container with what it used of the processors since the look before.
type statsRow struct {
	Name   string       `json:"name"`
	Gone   bool         `json:"gone,omitempty"`  // it existed at an earlier look
	Error  string       `json:"error,omitempty"` // why it has no statistics
	CPUs   *float64     `json:"cpus,omitempty"`
	Sample stats.Sample `json:"statistics,omitzero"`
	Pod    *podinfo.Pod `json:"pod,omitempty"`
}

func (a *App) stats(ctx context.Context, f *statsFlags, refs []string) error {
	if err := f.check(); err != nil {
		return err
	}
	if f.format != "" && a.output != asTable {
		return errFormatOutput
	}
	l := &statsLook{watched: a.watch(refs), observer: a.newObserver(), format: f.format}
	defer l.observer.retain(nil)
	_, _, terminal := a.terminal(a.Stdout)
	if !f.once && (f.stream || f.count > 0 || terminal && a.output != asJSON) {
		screen := a.openScreen()
		err := a.again(ctx, f.lookFlags, func() (bool, error) { return l.draw(ctx, screen) })
		screen.close()
		return firstError(err, l.failed())
	}
	if rows, err := l.rows(ctx); err != nil || len(rows) == 0 {
		return firstError(err, l.failed())
	}
	if err := a.pauseFor(ctx, f.interval); err != nil {
		return err
	}
	rows, err := l.rows(ctx)
	if err != nil {
		return err
	}
	return firstError(showFormat(a, f.format, rows, statsColumns, statsFields), l.failed())
}

// statsLook is what one look of stats keeps for the next.
type statsLook struct {
	*watched
	observer *observer
	format   string

	before map[string]stats.Sample // by job
	left   int                     // containers that exist
}

// draw shows one look and reports whether there is more to look at.
func (l *statsLook) draw(ctx context.Context, to *screen) (more bool, err error) {
	rows, err := l.rows(ctx)
	if err != nil {
		return false, err
	}
	more = len(l.refs) == 0 || l.left > 0
	if l.app.output == asJSON {
		return more, l.app.showJSON(rows)
	}
	var text bytes.Buffer
	if l.format != "" {
		err = printFormat(&text, l.format, rows, statsColumns, statsFields)
	} else {
		err = table(&text, l.app.output == asWide, l.app.output != asWide, rows, statsColumns)
	}
	if err != nil {
		return false, err
	}
	l.printFails(&text)
	return more, to.draw(text.String())
}

// rows looks once.
func (l *statsLook) rows(ctx context.Context) ([]statsRow, error) {
	list, gone, err := l.find()
	if err != nil {
		return nil, err
	}
	l.observer.retain(list)
	now := map[string]stats.Sample{}
	rows := []statsRow{}
	l.left = 0
	for _, c := range list {
		v, err := l.observer.sample(ctx, c)
		if errors.Is(err, node.ErrNotFound) {
			gone = append(gone, c)
			continue
		}
		l.left++
		l.note(c, err)
		row := statsRow{Name: c.Name(), Sample: v.Sample, Pod: c.Pod}
		if err != nil {
			row.Error = err.Error()
		} else {
			now[c.Job] = v.Sample
		}
		if was, ok := l.before[c.Job]; ok && err == nil {
			row.CPUs = cpus(was, v.Sample)
		}
		rows = append(rows, row)
	}
	l.before = now
	if len(l.refs) > 0 {
		for _, c := range gone {
			rows = append(rows, statsRow{Name: c.Name(), Gone: true, Pod: c.Pod})
		}
	}
	return rows, nil
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
