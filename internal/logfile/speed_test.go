package logfile

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"
)

var megabytes = flag.Int("megabytes", 20, "size of the output that TestReader_RotationAtFullSpeed writes")

// tally counts the lines of a log whose lines are the numbers from 0 on.
type tally struct {
	next, lines, lost, doubled, cut int
	rest                            []byte
}

func (c *tally) Write(p []byte) (int, error) {
	c.rest = append(c.rest, p...)
	for {
		line, rest, whole := bytes.Cut(c.rest, []byte("\n"))
		if !whole {
			c.rest = append(c.rest[:0], line...)
			return len(p), nil
		}
		c.rest = rest
		n, err := strconv.Atoi(string(line[:min(len(line), numberSize)]))
		switch {
		case err != nil || len(line) != numberSize:
			c.cut++
			continue
		case n < c.next:
			c.doubled++
			continue
		}
		c.lost += n - c.next
		c.next = n + 1
		c.lines++
	}
}

// numberSize is the length of a line without its end.
const numberSize = 99

// TestReader_RotationAtFullSpeed_EachLineOnce follows a log from its start while it is written as fast as possible. In some
// cases another process holds the file for a second, so that it cannot be renamed.
func TestReader_RotationAtFullSpeed_EachLineOnce(t *testing.T) {
	for name, c := range map[string]struct {
		Options
		held bool
	}{
		"files of 4 MB":                {Options{MaxSize: 4 << 20, Times: true}, false},
		"files of 4 MB, held for 1 s":  {Options{MaxSize: 4 << 20, Times: true}, true},
		"files of 1 MB":                {Options{MaxSize: 1 << 20}, false},
		"files of 64 kB, held for 1 s": {Options{MaxSize: 64 << 10}, true},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.log")
			h := newHolder(path)
			w, _ := newTestWriter(t, h.system(), path, c.Options)
			lines := *megabytes << 20 / (numberSize + 1)
			written := make(chan error)
			go func() {
				var chunk []byte
				var began time.Time
				for i := range lines {
					if chunk = fmt.Appendf(chunk, "%0*d\n", numberSize, i); len(chunk) > 32<<10 { // lines are cut by writes
						_, _ = w.Write(chunk[:32<<10])
						chunk = append(chunk[:0], chunk[32<<10:]...)
					}
					switch {
					case c.held && i == lines/4:
						h.hold(t)
						began = time.Now()
					case c.held && i == 3*lines/4: // rotations of 2 files at least were due since
						time.Sleep(time.Second - time.Since(began)) // the time that the other process takes
						for h.refused() == 0 && t.Context().Err() == nil {
							runtime.Gosched()
						}
						h.release(t)
					}
				}
				_, _ = w.Write(chunk)
				written <- w.Close()
			}()
			r := newTestReader(t, path, Position{})
			var got tally
			buffer := make([]byte, 64<<10)
			for ended := false; ; {
				n, err := r.Read(buffer)
				_, _ = got.Write(buffer[:n])
				switch {
				case err == nil:
					continue
				case !errors.Is(err, io.EOF):
					t.Fatal(err)
				case ended:
				default:
					select {
					case err := <-written:
						if err != nil {
							t.Fatal(err)
						}
						ended = true
					case <-time.After(time.Millisecond): // the rate of polling
					}
					continue
				}
				break
			}
			t.Logf("%d MB in %d files, %d renames refused: %d lines read, %d lost, %d doubled, %d cut; failure %+v", *megabytes,
				r.Position().File, h.refused(), got.lines, got.lost, got.doubled, got.cut, w.Failure())
			if got.lines != lines || got.lost+got.doubled+got.cut+len(got.rest)+r.Missed() != 0 {
				t.Errorf("%d lines of %d, %+v, %d files missed", got.lines, lines, got, r.Missed())
			}
			if c.held && h.refused() == 0 {
				t.Error("no rotation was refused while the file was held")
			}
		})
	}
}
