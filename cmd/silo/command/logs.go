package command

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/internal/logfile"
	"github.com/siloshim/siloshim/internal/sleep"
)

// The time between two reads of a log that is followed: the first after new output, the second after a while without any.
const (
	followSoon = 10 * time.Millisecond
	followLate = 250 * time.Millisecond
)

// logsFlags are the flags of logs.
type logsFlags struct {
	follow       bool
	tail         int
	since, until string
	timestamps   bool
	raw          bool
}

func (a *App) logsCommand() *cobra.Command {
	f := new(logsFlags)
	c := &cobra.Command{
		Use:   "logs container",
		Short: "Print the output of a container of silo run",
		Long: `Logs prints what silo run --log or --detach has written since the latest start of silo run, also after the container has
exited: the rotated files in their order, then the current file. The output of containers of the shim is read through
containerd.

--since and --until take a time of RFC 3339 (2026-03-01T10:00:00Z; without a zone it is local, and the time may be left
out), seconds since 1970, or a duration before now, such as 10m. The times of lines are in files beside the log, exact to
100 ms. Lines that were written without them have the time of their file.

On a terminal control characters of the output, such as those of colors, are shown as question marks. --raw prints them.
Output to a file or a pipe is not changed.`,
		Example: "  silo logs -f -n 20 web\n  silo logs --since 10m --timestamps silo/web",
		Args:    cobra.ExactArgs(1),
		RunE:    func(c *cobra.Command, args []string) error { return a.logs(c.Context(), args[0], f) },
	}
	c.Flags().BoolVarP(&f.follow, "follow", "f", false, "print new output until the container has exited")
	c.Flags().IntVarP(&f.tail, "tail", "n", -1, "number of lines to print from the end; -1 is all")
	c.Flags().StringVar(&f.since, "since", "", "print lines from this time on")
	c.Flags().StringVar(&f.until, "until", "", "print lines before this time")
	c.Flags().BoolVarP(&f.timestamps, "timestamps", "t", false, "print the time before each line")
	c.Flags().BoolVar(&f.raw, "raw", false, "print control characters to a terminal")
	return c
}

func (a *App) logs(ctx context.Context, ref string, f *logsFlags) error {
	lines := logLines{to: a.Stdout, timestamps: f.timestamps}
	if _, _, ok := a.terminal(a.Stdout); ok && !f.raw {
		lines.to = &visible{to: a.Stdout}
	}
	var err error
	if lines.since, err = parseTime(f.since, a.Now()); err != nil {
		return fmt.Errorf("--since: %w", err)
	}
	if lines.until, err = parseTime(f.until, a.Now()); err != nil {
		return fmt.Errorf("--until: %w", err)
	}
	record, err := a.recordOf(ref)
	if err != nil {
		return err
	}
	if record.Kind == node.Attach {
		return fmt.Errorf("print the log of %s: silo attach does not receive the output of its programs", ref)
	}
	if record.Log == "" {
		return fmt.Errorf("print the log of %s: it writes none; start it with silo run --log or --detach", ref)
	}
	var from logfile.Position
	if record.LogStart != nil {
		from = logfile.Position{File: record.LogStart.File, Offset: record.LogStart.Offset}
	}
	if f.tail >= 0 {
		if from, err = lines.tail(record.Log, from, f.tail); err != nil {
			return fmt.Errorf("read the log of %s: %w", ref, err)
		}
	}
	r := logfile.NewReader(record.Log, from)
	defer r.Close() //nolint:errcheck // it was only read
	if err := a.printLog(ctx, r, &lines, f.follow, record.ID); err != nil {
		return fmt.Errorf("print the log of %s: %w", ref, err)
	}
	if n := r.Missed(); n > 0 {
		fmt.Fprintf(a.Stderr, "silo: warning: %d files of the log were removed by its rotation and are not shown\n", n)
	}
	return nil
}

// printLog prints what there is. With follow it goes on until the container has ended or no later line can be wanted.
func (a *App) printLog(ctx context.Context, r *logfile.Reader, lines *logLines, follow bool, id string) error {
	pause := followSoon
	var checked time.Time
	for {
		// Before the read, so that output before the exit is not missed. Not as often as the log: a record that is just
		// being read cannot be replaced.
		ended := !follow || lines.pastEnd(a.Now())
		if now := time.Now(); !ended && now.Sub(checked) >= followLate {
			ended, checked = !a.producing(id), now
		}
		n, err := lines.copy(r)
		if err != nil || ended {
			return err
		}
		if n > 0 {
			pause = followSoon
		}
		if sleep.For(ctx, pause) != nil {
			return nil //nolint:nilerr // Ctrl+C ends a follow
		}
		pause = min(2*pause, followLate)
	}
}

// recordOf finds a record by each name that silo ps prints, in any case.
func (a *App) recordOf(ref string) (*node.Record, error) {
	id := ref
	if namespace, rest, ok := strings.Cut(ref, "/"); ok {
		if !strings.EqualFold(namespace, node.Own) && !strings.EqualFold(namespace, "hcs") {
			return nil, fmt.Errorf("print the log of %s: silo logs reads that of silo run; read it with ctr, crictl or kubectl", ref)
		}
		id = rest
	}
	c, err := a.Node.FindOwn(node.Own + "/" + id)
	switch {
	case err == nil && c.Error != "":
		return nil, errors.New(c.Error)
	case err == nil && c.Record != nil:
		return c.Record, nil
	}
	if c, err := a.Node.Find(ref); err == nil && c.Namespace != node.Own {
		return nil, fmt.Errorf("print the log of %s: silo logs reads that of silo run; read it with ctr, crictl or kubectl", c.Name())
	}
	return nil, fmt.Errorf("find container %s: %w; silo ps -a lists the containers of silo run", ref, node.ErrNotFound)
}

// producing reports whether a container may still print.
func (a *App) producing(id string) bool {
	c, err := a.Node.FindOwn(node.Own + "/" + id)
	return err == nil && c.Living()
}

// timeLayouts are those of docker logs: RFC 3339, and parts of it in local time.
var timeLayouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04", "2006-01-02Z07:00", time.DateOnly}

// parseTime reads a time as docker does. "" is the zero time.
func parseTime(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(text); err == nil {
		return now.Add(-d), nil
	}
	for _, layout := range timeLayouts {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, nil
		}
	}
	seconds, fraction, _ := strings.Cut(text, ".")
	whole, err1 := strconv.ParseInt(seconds, 10, 64)
	nanos, err2 := strconv.ParseUint((fraction + "000000000")[:9], 10, 32)
	if err1 != nil || err2 != nil || len(fraction) > 9 {
		return time.Time{}, fmt.Errorf("%q is neither a time such as 2026-03-01T10:00:00Z, nor seconds since 1970, nor a duration such as 10m", text)
	}
	return time.Unix(whole, int64(nanos)), nil
}
