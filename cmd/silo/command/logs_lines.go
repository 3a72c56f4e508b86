package command

import (
	"bytes"
	"errors"
	"io"
	"time"

	"github.com/siloshim/siloshim/internal/logfile"
)

// timestampLayout is that of docker logs --timestamps.
const timestampLayout = "2006-01-02T15:04:05.000000000Z07:00"

// logLines prints the lines of a log that were written in a time.
type logLines struct {
	to           io.Writer
	since, until time.Time // zero for no bound
	timestamps   bool

	middle  bool // the text so far ends in the middle of a line
	skipped bool // that line is not printed
	ended   bool // a line of until or later was read
	buffer  []byte
	text    []byte // what is printed next
}

// pastEnd reports whether every later line is of until or later.
func (l *logLines) pastEnd(now time.Time) bool {
	return l.ended || !l.until.IsZero() && !now.Before(l.until)
}

// copy prints what the reader has now, and returns the number of bytes it had.
func (l *logLines) copy(r *logfile.Reader) (total int, err error) {
	return l.each(r, func(part []byte, start bool, at time.Time, _ logfile.Position) {
		if start && l.timestamps {
			l.text = append(at.UTC().AppendFormat(l.text, timestampLayout), ' ')
		}
		l.text = append(l.text, part...)
	})
}

// each calls f for each part of the selected lines. start is set for the first part of a line.
func (l *logLines) each(r *logfile.Reader, f func(part []byte, start bool, at time.Time, pos logfile.Position)) (total int, err error) {
	if l.buffer == nil {
		l.buffer = make([]byte, 64<<10)
	}
	for {
		n, err := r.Read(l.buffer)
		if errors.Is(err, io.EOF) {
			return total, nil
		}
		if err != nil {
			return total, err
		}
		total += n
		pos := r.Position()
		pos.Offset -= int64(n)
		l.text = l.text[:0]
		for part := range bytes.Lines(l.buffer[:n]) {
			var at time.Time
			start := !l.middle
			if start && (l.timestamps || !l.since.IsZero() || !l.until.IsZero()) {
				at = r.Time(pos)
			}
			if start {
				l.skipped = at.Before(l.since) || !l.until.IsZero() && !at.Before(l.until)
				l.ended = l.ended || !l.until.IsZero() && !at.Before(l.until)
			}
			if !l.skipped {
				f(part, start, at, pos)
			}
			pos.Offset += int64(len(part))
			l.middle = part[len(part)-1] != '\n'
		}
		if len(l.text) > 0 {
			if _, err := l.to.Write(l.text); err != nil {
				return total, err
			}
		}
	}
}

// tail returns the position of the last n selected lines.
func (l *logLines) tail(path string, from logfile.Position, n int) (logfile.Position, error) {
	r := logfile.NewReader(path, from)
	defer r.Close() //nolint:errcheck // it was only read
	scan := logLines{to: io.Discard, since: l.since, until: l.until}
	var ring []logfile.Position // the latest n; the oldest is at next once there are n
	next := 0
	_, err := scan.each(r, func(_ []byte, start bool, _ time.Time, pos logfile.Position) {
		switch {
		case !start || n == 0:
		case len(ring) < n:
			ring = append(ring, pos)
		default:
			ring[next] = pos
			next = (next + 1) % n
		}
	})
	if err != nil {
		return from, err
	}
	if len(ring) == 0 {
		l.middle, l.skipped = scan.middle, scan.skipped
		return r.Position(), nil
	}
	return ring[next], nil
}
