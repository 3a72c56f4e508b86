package logfile

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// gate is a system whose writes fail, or wait, while it is closed.
type gate struct {
	mu   sync.Mutex
	err  error
	wait chan struct{}
}

func (g *gate) set(err error, wait chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.err, g.wait = err, wait
}

func (g *gate) state() (chan struct{}, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.wait, g.err
}

func (g *gate) system() system {
	s := thisSystem
	s.open = func(path string) (handle, error) {
		if _, err := g.state(); err != nil {
			return nil, err
		}
		file, err := thisSystem.open(path)
		return gateHandle{file, g}, err
	}
	return s
}

type gateHandle struct {
	handle
	gate *gate
}

func (h gateHandle) Write(p []byte) (int, error) {
	wait, err := h.gate.state()
	if wait != nil {
		<-wait
	}
	if err != nil {
		n, _ := h.handle.Write(p[:len(p)/2]) // a full disk takes a part
		return n, err
	}
	return h.handle.Write(p)
}

func newTestWriter(t *testing.T, s system, path string, o Options) (w *Writer, changes *int) {
	t.Helper()
	f, err := openWith(s, path, o)
	if err != nil {
		t.Fatal(err)
	}
	changes = new(int)
	return newWriter(f, func() { *changes++ }), changes
}

// lineSize is that of a numbered line; three times the queue is not too many of them.
const lineSize = 4 << 10

func line(i int) []byte { return fmt.Appendf(nil, "%09d%s\n", i, filler) }

var filler = strings.Repeat(".", lineSize-10)

// slowHandle takes a second for each write.
type slowHandle struct{ handle }

func (h slowHandle) Write(p []byte) (int, error) {
	time.Sleep(time.Second)
	return h.handle.Write(p)
}

// TestWriter_SlowFile_NothingIsLost: a full queue takes longer than maxStall to write, and the file takes text all the time.
func TestWriter_SlowFile_NothingIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := thisSystem
		slow.open = func(path string) (handle, error) {
			file, err := thisSystem.open(path)
			return slowHandle{file}, err
		}
		w, _ := newTestWriter(t, slow, filepath.Join(t.TempDir(), "x.log"), Options{MaxSize: 64 << 10, MaxFiles: 1000})
		for i := range 3 * queueSize / lineSize {
			_, _ = w.Write(line(i))
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestWriter_FileFailsForASecond_NothingIsLost writes more than the queue takes.
func TestWriter_FileFailsForASecond_NothingIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path, g := filepath.Join(t.TempDir(), "x.log"), new(gate)
		w, changes := newTestWriter(t, g.system(), path, Options{})
		full := errors.New("disk full")
		var want bytes.Buffer
		for i := range 3 * queueSize / lineSize {
			if i == 100 {
				g.set(full, nil)
				time.AfterFunc(time.Second, func() { g.set(nil, nil) })
			}
			want.Write(line(i))
			if n, err := w.Write(line(i)); n != lineSize || err != nil {
				t.Fatal(n, err)
			}
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		if got := contents(t, path)[""]; got != want.String() {
			t.Errorf("%d bytes that differ, want %d", len(got), want.Len())
		}
		f := w.Failure()
		if f.Lost != 0 || f.Failing || !strings.Contains(f.Err, "disk full") || !strings.Contains(f.Err, path) || f.Since.IsZero() || *changes != 2 {
			t.Errorf("%+v after %d changes, want the error, nothing lost, and 2", f, *changes)
		}
	})
}

// TestWriter_FileFailsForLong_LinesAreDiscardedAndCounted: callers wait once, and what is in the file is whole lines.
func TestWriter_FileFailsForLong_LinesAreDiscardedAndCounted(t *testing.T) {
	for name, fail := range map[string]func(*gate) (mend func()){
		"error": func(g *gate) func() { g.set(errors.New("disk full"), nil); return func() { g.set(nil, nil) } },
		"hang": func(g *gate) func() {
			wait := make(chan struct{})
			g.set(nil, wait)
			return func() { g.set(nil, nil); close(wait) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				path, g := filepath.Join(t.TempDir(), "x.log"), new(gate)
				w, _ := newTestWriter(t, g.system(), path, Options{})
				mend := fail(g)
				began, total := time.Now(), 0
				for i := range 3 * queueSize / lineSize {
					part := append(line(i), line(i)[:7]...) // ends in the middle of a line
					total += len(part)
					_, _ = w.Write(part)
					part = line(i)[7:]
					total += len(part)
					_, _ = w.Write(part)
				}
				if waited := time.Since(began); waited > 2*maxStall {
					t.Errorf("the caller waited for %v, want %v at most", waited, 2*maxStall)
				}
				mend()
				time.Sleep(time.Second)
				_, _ = w.Write([]byte("the end\n"))
				total += len("the end\n")
				f := w.Failure()
				if err := w.Close(); err == nil || !strings.Contains(err.Error(), fmt.Sprint(f.Lost)) {
					t.Errorf("%v, want an error with %d", err, f.Lost)
				}
				got := contents(t, path)[""]
				told := regexp.MustCompile(`^silo: (\d+) bytes of output are missing here: .*\n`).FindStringSubmatch(got[max(0, strings.LastIndex(got, "silo: ")):])
				if told == nil || told[1] != fmt.Sprint(f.Lost) || f.Lost == 0 {
					t.Fatalf("%q is told, lost %+v", told, f)
				}
				before, after, _ := strings.Cut(got, told[0])
				if !strings.HasSuffix(before, "\n") {
					t.Errorf("the line about the gap begins after %q", before[max(0, len(before)-20):])
				}
				// A line that was cut has got an end.
				if n := len(before) + len(after) + int(f.Lost); n != total && n != total+1 {
					t.Errorf("%d bytes are there and %d are lost of %d", len(before)+len(after), f.Lost, total)
				}
				if after != "the end\n" {
					t.Errorf("behind the gap: %.200q", after)
				}
			})
		})
	}
}

// TestWriter_HangsAtClose_CloseReturns: the text that cannot be written is counted.
func TestWriter_HangsAtClose_CloseReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path, g := filepath.Join(t.TempDir(), "x.log"), new(gate)
		w, _ := newTestWriter(t, g.system(), path, Options{})
		wait := make(chan struct{})
		g.set(nil, wait)
		_, _ = w.Write([]byte("a\n"))
		began := time.Now()
		if err := w.Close(); err == nil || w.Failure().Lost != 2 {
			t.Errorf("%v, %+v, want an error and 2 lost", err, w.Failure())
		}
		if took := time.Since(began); took > 2*maxStall {
			t.Errorf("close took %v", took)
		}
		close(wait)
		synctest.Wait()
	})
}

// TestWriter_RotationFails_FailureIsKept: it costs no output, and the next rotation clears it.
func TestWriter_RotationFails_FailureIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "x.log")
		var mu sync.Mutex
		held := errors.New("held by a reader")
		s := thisSystem
		s.rename = func(from, to string) error {
			mu.Lock()
			defer mu.Unlock()
			if held != nil {
				return held
			}
			return thisSystem.rename(from, to)
		}
		w, _ := newTestWriter(t, s, path, Options{MaxSize: 2})
		_, _ = w.Write([]byte("a\nb\n"))
		synctest.Wait()
		if f := w.Failure(); !f.Failing || f.Lost != 0 || !strings.Contains(f.Err, held.Error()) {
			t.Errorf("%+v, want %v and nothing lost", f, held)
		}
		mu.Lock()
		held = nil
		mu.Unlock()
		time.Sleep(retryInterval)
		_, _ = w.Write([]byte("c\n"))
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		if f := w.Failure(); f.Failing || f.Err == "" {
			t.Errorf("%+v, want the error and not failing", f)
		}
		if got := contents(t, path); got[".000001"] != "a\nb\n" || got[""] != "c\n" {
			t.Errorf("%q", got)
		}
	})
}
