package command

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/container/podinfo"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/stats"
)

// topFlags are the flags of top.
type topFlags struct {
	lookFlags
	sort   string
	filter string
	live   bool
}

func (a *App) topCommand() *cobra.Command {
	f := new(topFlags)
	c := &cobra.Command{
		Use:   "top [container...]",
		Short: "Show the processes of containers",
		Long: `Top shows the processes of the containers named, or of all: name, pid, processor time and private working set, as
docker top does, and more with --output wide. On a terminal it cuts lines to the width, except with --output wide.

With --live it shows them again every --interval, until Ctrl+C or until the last of the containers named has ended.`,
		Example: "  silo top web\n  silo top --live --sort cpu",
		RunE:    func(c *cobra.Command, args []string) error { return a.top(c.Context(), f, args) },
	}
	c.Flags().StringVar(&f.sort, "sort", "container", "order: container, name, pid, cpu, memory or commit")
	c.Flags().StringVar(&f.filter, "filter", "", "only images whose name contains this")
	c.Flags().BoolVarP(&f.live, "live", "l", false, "look again and again, until Ctrl+C")
	c.Flags().DurationVar(&f.interval, "interval", time.Second, "time between two looks")
	c.Flags().IntVar(&f.count, "count", 0, "number of looks with --live; 0 is without end")
	return c
}

// topRow is one process.
type topRow struct {
	Container string        `json:"container"`
	Load      *float64      `json:"cpu_percent,omitempty"` // of one processor, since the look before
	Process   stats.Process `json:"process"`
	Pod       *podinfo.Pod  `json:"pod,omitempty"`
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
	if err := f.check(); err != nil {
		return err
	}
	t := &topLook{watched: a.watch(refs), flags: f, observer: a.newObserver()}
	defer t.observer.retain(nil)
	if !f.live {
		rows, err := t.rows(ctx)
		if err != nil {
			return err
		}
		return firstError(a.showTop(rows), t.failed())
	}
	screen := a.openScreen()
	err := a.again(ctx, f.lookFlags, func() (bool, error) { return t.draw(ctx, screen) })
	screen.close()
	return firstError(err, t.failed())
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

func (a *App) showTop(rows []topRow) error {
	if a.output != asTable {
		return show(a, rows, topColumns)
	}
	var text bytes.Buffer
	if err := table(&text, false, true, rows, topColumns); err != nil {
		return err
	}
	_, err := fmt.Fprint(a.Stdout, a.fit(text.String()))
	return err
}

// topLook is what one look of top keeps for the next.
type topLook struct {
	*watched
	flags    *topFlags
	observer *observer

	at    time.Time
	times map[processKey]time.Duration // processor time of each process then
	left  int                          // containers that exist
	gone  []node.Container
}

// draw shows one look and reports whether there is more to look at.
func (t *topLook) draw(ctx context.Context, to *screen) (more bool, err error) {
	rows, err := t.rows(ctx)
	if err != nil {
		return false, err
	}
	more = len(t.refs) == 0 || t.left > 0
	if t.app.output == asJSON {
		return more, t.app.showJSON(rows)
	}
	var text bytes.Buffer
	containers, processes := plural(t.left, "container", "containers"), plural(len(rows), "process", "processes")
	fmt.Fprintf(&text, "silo top  %s  %s  %s\n", t.at.Format(time.TimeOnly), containers, processes)
	for _, c := range t.gone {
		fmt.Fprintf(&text, "%s is gone\n", shortID(printable(c.Name())))
	}
	t.printFails(&text)
	fmt.Fprintln(&text)
	if err := table(&text, true, t.app.output != asWide, rows, topColumns); err != nil {
		return false, err
	}
	return more, to.draw(text.String())
}

// rows looks once.
func (t *topLook) rows(ctx context.Context) ([]topRow, error) {
	list, gone, err := t.find()
	if err != nil {
		return nil, err
	}
	lists, err := t.observer.processes(ctx, list)
	now := t.app.Now()
	before, ago := t.times, now.Sub(t.at)
	t.at, t.times, t.left, t.gone = now, map[processKey]time.Duration{}, len(list), gone
	rows := []topRow{}
	for i, c := range list {
		if lists[i] == nil {
			t.unlisted(c, err)
			continue
		}
		t.note(c, nil)
		for _, p := range lists[i] {
			if !strings.Contains(strings.ToLower(p.Image), strings.ToLower(t.flags.filter)) {
				continue
			}
			row := topRow{Container: c.Name(), Process: p, Pod: c.Pod}
			key, total := processKey{p.Pid, p.Created}, p.User+p.Kernel
			if was, ok := before[key]; ok && ago > 0 && p.Has(stats.KnownTimes) {
				load := 100 * float64(total-was) / float64(ago)
				row.Load = &load
			}
			t.times[key] = total
			rows = append(rows, row)
		}
	}
	slices.SortStableFunc(rows, func(x, y topRow) int { return topOrders[t.flags.sort](&x, &y) })
	return rows, nil
}

// unlisted notes why a container has no list of processes, if it still exists. err is that of all lists.
func (t *topLook) unlisted(c node.Container, err error) {
	if oerr := t.app.look(c, jobobject.AccessQuery, func(*jobobject.Job) error { return nil }); oerr != nil {
		err = oerr
	}
	if errors.Is(err, node.ErrNotFound) {
		t.left--
		err = nil // it ended meanwhile
	}
	if err != nil {
		err = fmt.Errorf("list processes of %s: %w", c.Name(), err)
	}
	t.note(c, err)
}

var topColumns = append([]column[topRow]{
	{title: "CONTAINER", id: true, value: func(r *topRow) string { return r.Container }},
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
}, podColumns(func(r *topRow) *podinfo.Pod { return r.Pod })...)

func countOr(n uint32, known bool) string {
	if !known {
		return none
	}
	return strconv.FormatUint(uint64(n), 10)
}
