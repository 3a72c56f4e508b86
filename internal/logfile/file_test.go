package logfile

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// contents reads a log and its rotated files, by what their names have behind the log's.
func contents(t *testing.T, path string) map[string]string {
	t.Helper()
	found, err := filepath.Glob(path + "*")
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, p := range found {
		text, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		texts[strings.TrimPrefix(p, path)] = string(text)
	}
	return texts
}

// faulty is a system whose calls fail on demand.
type faulty struct {
	open, rename, renameBack, write error
	opens                           int
}

func (s *faulty) system() system {
	return system{
		open: func(path string) (handle, error) {
			s.opens++
			if s.open != nil {
				return nil, s.open
			}
			file, err := openAppend(path)
			return faultyHandle{file, s}, err
		},
		rename: func(from, to string) error {
			err := s.rename
			if len(from) > len(to) {
				err = s.renameBack
			}
			if err != nil {
				return err
			}
			return os.Rename(from, to)
		},
	}
}

type faultyHandle struct {
	*os.File
	system *faulty
}

func (h faultyHandle) Write(p []byte) (int, error) {
	if h.system.write != nil {
		return 0, h.system.write
	}
	return h.File.Write(p)
}

func openTest(t *testing.T, s system, path string, o Options) *File {
	t.Helper()
	f, err := openWith(s, path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func write(t *testing.T, f *File, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if n, err := f.Write([]byte(text)); err != nil || n != len(text) {
			t.Fatalf("wrote %d of %d, %v", n, len(text), err)
		}
	}
}

func TestFile_Full_RotatedAtALineEnd(t *testing.T) {
	for name, c := range map[string]struct {
		size   int64
		files  int
		before string
		writes []string
		want   map[string]string
	}{
		"whole lines": {
			10, 3, "", []string{"one\ntwo\nthree\n", "four\n"},
			map[string]string{".000001": "one\ntwo\n", ".000002": "three\n", "": "four\n"},
		},
		"a line in several writes": {
			10, 3, "", []string{"one\ntw", "o thr", "ee\nfour\n"},
			map[string]string{".000001": "one\ntwo three\n", "": "four\n"},
		},
		"a line of several files' size": {4, 9, "", []string{"123456789\n"}, map[string]string{".000001": "1234", ".000002": "5678", "": "9\n"}},
		"a line of that kind in parts":  {4, 9, "", []string{"a\n1", "23456", "789\n"}, map[string]string{".000001": "a\n1234", ".000002": "5678", "": "9\n"}},
		"an old file goes on":           {10, 3, "before\n", []string{"a\nbc\n"}, map[string]string{".000001": "before\na\n", "": "bc\n"}},
		"the oldest is removed":         {2, 1, "", []string{"a\n", "b\n", "c\n", "d\n"}, map[string]string{".000003": "c\n", "": "d\n"}},
		"all are kept":                  {2, 0, "", []string{"a\n", "b\n", "c\n"}, map[string]string{".000001": "a\n", ".000002": "b\n", "": "c\n"}},
		"no size":                       {0, 1, "", []string{"a\n", "b\n"}, map[string]string{"": "a\nb\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.log")
			if c.before != "" {
				if err := os.WriteFile(path, []byte(c.before), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			write(t, openTest(t, thisSystem, path, Options{MaxSize: c.size, MaxFiles: c.files}), c.writes...)
			if diff := cmp.Diff(c.want, contents(t, path)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFile_OpenedAgain_NumbersGoOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "x.log")
	for _, text := range []string{"a\n", "b\n", "c\n"} {
		f, err := Open(path, Options{MaxSize: 2, MaxFiles: 9, Times: true})
		if err != nil {
			t.Fatal(err)
		}
		write(t, f, text)
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	got := contents(t, path)
	for name, want := range map[string]string{".000001": "a\n", ".000002": "b\n", "": "c\n"} {
		if got[name] != want || len(got) != 6 {
			t.Errorf("%d files, %q has %q, want 6 with indexes, %q", len(got), name, got[name], want)
		}
	}
}

func TestFile_Directory_Refused(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("%v, want an error that names %s", err, dir)
	}
}

// TestFile_RotationFails_GoesOnInTheFile: nothing is lost while the file cannot be renamed or its successor not be opened,
// and the rotation is tried again a second later.
func TestFile_RotationFails_GoesOnInTheFile(t *testing.T) {
	held := errors.New("held")
	for name, c := range map[string]struct {
		fault faulty
		want  map[string]string
	}{
		"rename":                      {faulty{rename: held}, map[string]string{".000001": "a\nb\nc\n", "": "d\n"}},
		"open":                        {faulty{open: held}, map[string]string{".000001": "a\nb\nc\n", "": "d\n"}},
		"open, and the name is taken": {faulty{open: held, renameBack: held}, map[string]string{".000001": "a\nb\nc\n", "": "d\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				path, s := filepath.Join(t.TempDir(), "x.log"), new(faulty)
				f := openTest(t, s.system(), path, Options{MaxSize: 2, MaxFiles: 3})
				write(t, f, "a\n")
				*s = c.fault
				write(t, f, "b\n", "c\n")
				if err := f.Fault(); !errors.Is(err, held) || !strings.Contains(err.Error(), path) {
					t.Errorf("fault %v, want %v with the path", err, held)
				}
				*s = faulty{}
				time.Sleep(retryInterval)
				write(t, f, "d\n")
				if err := f.Fault(); err != nil {
					t.Errorf("fault after a rotation: %v", err)
				}
				if diff := cmp.Diff(c.want, contents(t, path)); diff != "" {
					t.Errorf("files (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestFile_WriteFails_NextWriteOpensItAgain(t *testing.T) {
	path, s := filepath.Join(t.TempDir(), "x.log"), new(faulty)
	f := openTest(t, s.system(), path, Options{})
	write(t, f, "a\n")
	s.write = errors.New("full")
	if n, err := f.Write([]byte("b\n")); n != 0 || !errors.Is(err, s.write) || !strings.Contains(err.Error(), path) {
		t.Errorf("%d %v, want 0 and %v with the path", n, err, s.write)
	}
	s.write = nil
	write(t, f, "c\n")
	if got := contents(t, path)[""]; got != "a\nc\n" || s.opens != 2 {
		t.Errorf("%q after %d opens, want 2", got, s.opens)
	}
}

// TestFile_MovedByAnother_NewFile: the file may be renamed or deleted by others, and the log goes on at its path.
func TestFile_MovedByAnother_NewFile(t *testing.T) {
	for name, move := range map[string]func(path string) error{
		"renamed": func(path string) error { return os.Rename(path, path+".old") },
		"deleted": os.Remove,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "x.log")
				f := openTest(t, thisSystem, path, Options{MaxSize: 100})
				write(t, f, "a\n")
				if err := move(path); err != nil {
					t.Fatal(err)
				}
				if _, err := os.Stat(path); err == nil && !deletePending(f.file) {
					t.Skip("this system deletes an open file later and does not report that: DeletePending is missing")
				}
				time.Sleep(retryInterval)
				write(t, f, "b\n")
				if got := contents(t, path); got[""] != "b\n" {
					t.Errorf("%q, want the new line at the path", got)
				}
			})
		})
	}
}

// TestFile_TwoStreams_ShareTheFile: every line is in one of the files, whole, and once.
func TestFile_TwoStreams_ShareTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.log")
	f := openTest(t, thisSystem, path, Options{MaxSize: 1 << 10, MaxFiles: 100})
	const lines = 500
	ended := make(chan error)
	for _, stream := range []string{"out", "err"} {
		go func() {
			var err error
			for i := range lines {
				_, werr := fmt.Fprintf(f, "%s %d\n", stream, i)
				err = errors.Join(err, werr)
			}
			ended <- err
		}()
	}
	if err := errors.Join(<-ended, <-ended); err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for name, text := range contents(t, path) {
		if len(text) > 1<<10 {
			t.Errorf("file %q has %d bytes", name, len(text))
		}
		for line := range bytes.Lines([]byte(text)) {
			count[string(line)]++
		}
	}
	for _, stream := range []string{"out", "err"} {
		for i := range lines {
			if line := fmt.Sprintf("%s %d\n", stream, i); count[line] != 1 {
				t.Fatalf("line %q is there %d times", line, count[line])
			}
		}
	}
}
