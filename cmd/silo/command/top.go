package command

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/siloshim/siloshim/stats"
)

// topFlags are the flags of top.
type topFlags struct {
	sort     string
	filter   string
	interval time.Duration
	live     bool
	count    int
}

func (a *App) topCommand() *cobra.Command {
	f := new(topFlags)
	c := &cobra.Command{
		Use:   "top [container...]",
		Short: "Show the processes of containers",
		Long: `Top shows the processes of the containers named, or of all: name, pid, processor time and private working set, as
docker top does, and more. On a terminal with --live it goes on until Ctrl+C.`,
		Example: "  silo top web\n  silo top --live --sort cpu",
		RunE:    func(c *cobra.Command, args []string) error { return a.top(c.Context(), f, args) },
	}
	c.Flags().StringVar(&f.sort, "sort", "container", "order: container, name, pid, cpu, memory or commit")
	c.Flags().StringVar(&f.filter, "filter", "", "only images whose name contains this")
	c.Flags().BoolVarP(&f.live, "live", "l", false, "go on until Ctrl+C")
	c.Flags().DurationVar(&f.interval, "interval", time.Second, "time between two looks")
	c.Flags().IntVar(&f.count, "count", 0, "looks to take with --live; 0 is without bound")
	return c
}

// topRow is one process.
type topRow struct {
	Container string        `json:"container"`
	Load      *float64      `json:"cpu_percent,omitempty"` // of one processor, since the look before
	Process   stats.Process `json:"process"`
}

// processKey is one process for ever, which a pid alone is not.
type processKey struct {
	pid     uint32
	created time.Time
}

// topOrders are the values of --sort.
var topOrders = map[string]func(x, y *topRow) int{
	"container": func(x, y *topRow) int { return cmp.Compare(x.Container, y.Container) },
	"name": func(x, y *topRow) int {
		return cmp.Compare(strings.ToLower(x.Process.Image), strings.ToLower(y.Process.Image))
	},
	"pid":    func(x, y *topRow) int { return cmp.Compare(x.Process.Pid, y.Process.Pid) },
	"cpu":    func(x, y *topRow) int { return cmp.Compare(y.busy(), x.busy()) },
	"memory": func(x, y *topRow) int { return cmp.Compare(y.Process.PrivateWorkingSet, x.Process.PrivateWorkingSet) },
	"commit": func(x, y *topRow) int { return cmp.Compare(y.Process.Commit, x.Process.Commit) },
}

// busy is the load where it is known, and the time so far where not.
func (r *topRow) busy() float64 {
	if r.Load != nil {
		return *r.Load
	}
	return (r.Process.User + r.Process.Kernel).Seconds()
}

func (a *App) top(ctx context.Context, f *topFlags, refs []string) error {
	if topOrders[f.sort] == nil {
		return fmt.Errorf("--sort %q is not container, name, pid, cpu, memory or commit", f.sort)
	}
	if f.interval <= 0 {
		return fmt.Errorf("--interval must be above zero")
	}
	if !f.live {
		o := a.newObserver()
		defer o.retain(nil)
		rows, _, err := a.topRows(ctx, o, f, refs, nil, 0)
		if err != nil {
			return err
		}
		return show(a, rows, topColumns)
	}
	height, restore := terminal(a.Stdout)
	defer restore()
	return a.topLive(ctx, f, refs, height)
}

func (a *App) topLive(ctx context.Context, f *topFlags, refs []string, height int) error {
	tick := time.NewTicker(f.interval)
	defer tick.Stop()
	o := a.newObserver()
	defer o.retain(nil)
	var before map[processKey]time.Duration
	last := a.Now()
	for n := 1; ; n++ {
		now := a.Now()
		rows, times, err := a.topRows(ctx, o, f, refs, before, now.Sub(last))
		if err != nil {
			return err
		}
		if err := a.topScreen(rows, now, height); err != nil {
			return err
		}
		if n == f.count {
			return nil
		}
		before, last = times, now
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// topScreen draws one look in one write, so that it does not flicker: home, text, and clear what is below. It leaves out
// the rows that a screen of a known height has no room for.
func (a *App) topScreen(rows []topRow, now time.Time, height int) error {
	if a.output == asJSON {
		return a.showJSON(rows)
	}
	var text bytes.Buffer
	containers := map[string]bool{}
	for _, r := range rows {
		containers[r.Container] = true
	}
	fmt.Fprintf(&text, "silo top  %s  %d containers  %d processes\n\n", now.Format(time.TimeOnly), len(containers), len(rows))
	const besides = 4 // the first line, an empty one, the titles, and where the cursor stays
	if height > besides {
		rows = rows[:min(len(rows), height-besides)]
	}
	if err := table(&text, true, rows, topColumns); err != nil {
		return err
	}
	screen := "\x1b[H" + strings.ReplaceAll(text.String(), "\n", "\x1b[K\n") + "\x1b[J"
	_, err := fmt.Fprint(a.Stdout, screen)
	return err
}

// topRows looks once. before are the processor times of the look before, so long ago.
func (a *App) topRows(
	ctx context.Context, o *observer, f *topFlags, refs []string, before map[processKey]time.Duration, ago time.Duration,
) ([]topRow, map[processKey]time.Duration, error) {
	list, err := a.named(refs)
	if err != nil {
		return nil, nil, err
	}
	lists, err := o.processes(ctx, list)
	if err != nil {
		return nil, nil, err
	}
	rows, times := []topRow{}, map[processKey]time.Duration{}
	for i, c := range list {
		for _, p := range lists[i] {
			if !strings.Contains(strings.ToLower(p.Image), strings.ToLower(f.filter)) {
				continue
			}
			row := topRow{Container: c.Name(), Process: p}
			key, total := processKey{p.Pid, p.Created}, p.User+p.Kernel
			if was, ok := before[key]; ok && ago > 0 && p.Has(stats.KnownTimes) {
				load := 100 * float64(total-was) / float64(ago)
				row.Load = &load
			}
			times[key] = total
			rows = append(rows, row)
		}
	}
	slices.SortStableFunc(rows, func(x, y topRow) int { return topOrders[f.sort](&x, &y) })
	return rows, times, nil
}

var topColumns = []column[topRow]{
	{title: "CONTAINER", value: func(r *topRow) string { return r.Container }},
	{title: "NAME", value: func(r *topRow) string { return r.Process.Image }},
	{title: "PID", value: func(r *topRow) string { return strconv.FormatUint(uint64(r.Process.Pid), 10) }},
	{title: "CPU", value: func(r *topRow) string {
		if !r.Process.Has(stats.KnownTimes) {
			return none
		}
		return clock(r.Process.User + r.Process.Kernel)
	}},
	{title: "LOAD", wide: true, value: func(r *topRow) string {
		if r.Load == nil {
			return none
		}
		return fmt.Sprintf("%.1f%%", *r.Load)
	}},
	{title: "PRIVATE WORKING SET", value: func(r *topRow) string {
		return bytesOr(r.Process.PrivateWorkingSet, r.Process.Has(stats.KnownPrivate))
	}},
	{title: "COMMIT", wide: true, value: func(r *topRow) string { return bytesOr(r.Process.Commit, r.Process.Has(stats.KnownMemory)) }},
	{title: "THREADS", wide: true, value: func(r *topRow) string { return countOr(r.Process.Threads, r.Process.Has(stats.KnownThreads)) }},
	{title: "HANDLES", wide: true, value: func(r *topRow) string { return countOr(r.Process.Handles, r.Process.Has(stats.KnownHandles)) }},
	{title: "PARENT", wide: true, value: func(r *topRow) string { return countOr(r.Process.Parent, r.Process.Has(stats.KnownParent)) }},
}

func countOr(n uint32, known bool) string {
	if !known {
		return none
	}
	return strconv.FormatUint(uint64(n), 10)
}
