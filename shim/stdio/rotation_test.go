package stdio

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// logs reads a log file and those that were put aside.
func logs(t *testing.T, path string) map[string]string {
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

func openTestLog(t *testing.T, path string, r rotation) *rotatedUse {
	t.Helper()
	f, err := openRotated(path, r)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestRotated_FileFull_IsRenamed(t *testing.T) {
	for name, c := range map[string]struct {
		rotation
		before string
		writes []string
		want   map[string]string
	}{
		"whole lines": {
			rotation{10, 3}, "", []string{"one\ntwo\nthree\n", "four\n"},
			map[string]string{"": "four\n", ".1": "three\n", ".2": "one\ntwo\n"},
		},
		"goes on in an old file":  {rotation{10, 3}, "before\n", []string{"a\nbc\n"}, map[string]string{"": "bc\n", ".1": "before\na\n"}},
		"a line that is too long": {rotation{4, 9}, "", []string{"123456789\n"}, map[string]string{"": "9\n", ".1": "5678", ".2": "1234"}},
		"the oldest goes":         {rotation{2, 2}, "", []string{"a\n", "b\n", "c\n", "d\n"}, map[string]string{"": "d\n", ".1": "c\n"}},
		"one file":                {rotation{4, 1}, "", []string{"a\n", "b\n", "c\n"}, map[string]string{"": "c\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.log")
			if c.before != "" {
				if err := os.WriteFile(path, []byte(c.before), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			f := openTestLog(t, path, c.rotation)
			for _, text := range c.writes {
				if n, err := f.Write([]byte(text)); err != nil || n != len(text) {
					t.Fatalf("wrote %d of %d, %v", n, len(text), err)
				}
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(c.want, logs(t, path)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRotated_TwoStreams_ShareTheFile: stdout and stderr write to one file. Every line is in one of the files, whole, and once.
func TestRotated_TwoStreams_ShareTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.log")
	const lines = 500
	var writers sync.WaitGroup
	for _, who := range []string{"out", "err"} {
		f := openTestLog(t, path, rotation{1 << 10, 100})
		writers.Go(func() {
			for i := range lines {
				if _, err := fmt.Fprintf(f, "%s %d\n", who, i); err != nil {
					t.Error(err)
				}
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	writers.Wait()
	count := map[string]int{}
	for name, text := range logs(t, path) {
		if len(text) > 1<<10 {
			t.Errorf("file %q has %d bytes", name, len(text))
		}
		for line := range strings.Lines(text) {
			count[line]++
		}
	}
	for _, who := range []string{"out", "err"} {
		for i := range lines {
			if line := fmt.Sprintf("%s %d\n", who, i); count[line] != 1 {
				t.Fatalf("line %q is there %d times", line, count[line])
			}
		}
	}
	if len(rotatedFiles.open) != 0 {
		t.Errorf("%d files are open", len(rotatedFiles.open))
	}
}

// TestRotated_RenameFails_NothingIsLost: the name to put the file aside under is taken by a directory.
func TestRotated_RenameFails_NothingIsLost(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.log")
	if err := os.MkdirAll(filepath.Join(path+".1", "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	f := openTestLog(t, path, rotation{4, 2})
	const text = "a\nb\nc\nd\ne\n"
	if _, err := f.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != text {
		t.Errorf("the file has %q, %v; want %q", got, err, text)
	}
}

// TestRelay_RotatedLog_HasTheOutput goes the whole way, from the URI.
func TestRelay_RotatedLog_HasTheOutput(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.log")
	r := open(t, Config{Stdout: uri("file", path) + "?max_size=8&max_files=2"})
	_, out, _ := child(t, r)
	program := dup(t, out)
	r.Start()
	write(t, program, "first\nsecond\n")
	closeFiles(t, program)
	finish(t, r)
	if diff := cmp.Diff(map[string]string{"": "second\n", ".1": "first\n"}, logs(t, path)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}
