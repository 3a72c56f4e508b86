package stdio

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/internal/logfile"
)

// logs reads a log file and those that were rotated.
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

// TestOpenLog_TwoStreams_ShareTheFile: stdout and stderr may have one path. The rotation by one of them is that of both.
func TestOpenLog_TwoStreams_ShareTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.log")
	options := logfile.Options{MaxSize: 4, MaxFiles: 1}
	var uses []*logUse
	for range 2 {
		use, err := openLog(path, options)
		if err != nil {
			t.Fatal(err)
		}
		uses = append(uses, use)
	}
	for i, text := range []string{"a\n", "b\n", "c\n", "d\n", "e\n"} {
		if _, err := uses[i%2].Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(map[string]string{".000002": "c\nd\n", "": "e\n"}, logs(t, path)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	for i, use := range uses {
		if err := use.Close(); err != nil || len(sharedLogs.open) != 1-i {
			t.Errorf("%v, %d files are open after close %d", err, len(sharedLogs.open), i+1)
		}
	}
	if err := uses[0].Close(); err == nil {
		t.Error("a second close is no error")
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
	if diff := cmp.Diff(map[string]string{"": "second\n", ".000001": "first\n"}, logs(t, path)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}
