package command_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// writeLog writes files of a log with the times of their last writes, an hour apart, and a record of each id.
func writeLog(t *testing.T, w *world, ids []string, names, texts []string) {
	t.Helper()
	path := filepath.Join(w.dir, "x.log")
	at := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	for i, name := range names {
		if err := errors.Join(os.WriteFile(path+name, []byte(texts[i]), 0o600), os.Chtimes(path+name, at, at)); err != nil {
			t.Fatal(err)
		}
		at = at.Add(time.Hour)
	}
	for _, id := range ids {
		if err := w.app.Node.Records.Write(record(id, path)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLogs_NamesThatPSPrints_FindTheLog(t *testing.T) {
	w := newWorld(t)
	writeLog(t, w, []string{"mine", "Web"}, []string{""}, []string{"one\n"})
	for _, ref := range []string{"mine", "silo/mine", "MINE", "Silo/Mine", "web", "silo/WEB", "hcs/web"} {
		for _, args := range [][]string{{"logs", ref}, {"logs", "-f", ref}} {
			if code := w.silo(t, args...); code != 0 || w.Stdout.String() != "one\n" {
				t.Errorf("silo %q: %d %q %s", args, code, &w.Stdout, &w.Stderr)
			}
		}
	}
	for ref, want := range map[string]string{"k8s.io/web": "read it with ctr", "none": "no such container"} {
		if code := w.silo(t, "logs", ref); code != 125 || !strings.Contains(w.Stderr.String(), want) {
			t.Errorf("logs %s: %d %s, want %q", ref, code, &w.Stderr, want)
		}
	}
}

func TestLogs_Attached_ErrorSaysWhy(t *testing.T) {
	w := newWorld(t)
	if err := w.app.Node.Records.Write(&node.Record{Kind: node.Attach, ID: "taken"}); err != nil {
		t.Fatal(err)
	}
	if code := w.silo(t, "logs", "taken"); code != 125 || !strings.Contains(w.Stderr.String(), "silo attach does not receive the output") {
		t.Errorf("%d %s", code, &w.Stderr)
	}
}

func TestLogs_RotatedFiles_AreReadInOrder(t *testing.T) {
	w := newWorld(t)
	writeLog(t, w, []string{"mine"}, []string{".000009", ".000010", ""}, []string{"one\ntwo\n", "three\n", "four\nfive"})
	ago := w.Now().Sub(time.Date(2026, 3, 1, 11, 0, 0, 0, time.UTC))
	stamped := "2026-03-01T10:00:00.000000000Z one\n2026-03-01T10:00:00.000000000Z two\n2026-03-01T11:00:00.000000000Z three\n"
	for args, want := range map[string]string{
		"":                                  "one\ntwo\nthree\nfour\nfive",
		"-n 4":                              "two\nthree\nfour\nfive",
		"-n 9":                              "one\ntwo\nthree\nfour\nfive",
		"-n 0":                              "",
		"-f -n 1":                           "five",
		"--since 2026-03-01T11:00:00Z":      "three\nfour\nfive",
		"--until 2026-03-01T11:00:00Z":      "one\ntwo\n",
		"--until 2026-03-01T11:00:00Z -n 1": "two\n",
		"--since 1772362800 --until 1772362800.000000001":                "three\n",
		"--until 2026-03-01T11:30:00Z -t":                                stamped,
		"--since 2026-03-01T10:30Z --until 2026-03-01T11:30:00Z -n 5 -f": "three\n",
		"--since=" + ago.String():                                        "three\nfour\nfive",
	} {
		code := w.silo(t, append([]string{"logs", "mine"}, strings.Fields(args)...)...)
		if strings.Contains(args, "10:30Z") { // RFC 3339 has seconds
			if code != 125 || !strings.Contains(w.Stderr.String(), "--since: ") {
				t.Errorf("logs %s: %d %s", args, code, &w.Stderr)
			}
			continue
		}
		if code != 0 || w.Stdout.String() != want {
			t.Errorf("logs %s: %d %q %s, want %q", args, code, &w.Stdout, &w.Stderr, want)
		}
	}
}

// TestLogs_SecondRun_HasItsOwnOutput: the log has that of both runs.
func TestLogs_SecondRun_HasItsOwnOutput(t *testing.T) {
	w := newWorld(t)
	path := filepath.Join(w.dir, "x.log")
	for _, text := range []string{"first\n", "second\n"} {
		w.Program("app.exe", func(p *jobtest.Proc) uint32 { fmt.Fprint(p.Stdout, text); return 0 })
		if code := w.silo(t, "run", "--name", "mine", "--log", path, "--", "app"); code != 0 {
			t.Fatal(code, w.Stderr.String())
		}
		if code := w.silo(t, "logs", "mine"); code != 0 || w.Stdout.String() != text {
			t.Errorf("%d %q, want %q", code, &w.Stdout, text)
		}
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "first\nsecond\n" {
		t.Errorf("%q %v", text, err)
	}
}

// firstWrite closes a channel before its first write.
type firstWrite struct {
	strings.Builder
	begun chan struct{}
}

func (f *firstWrite) Write(p []byte) (int, error) {
	if f.Len() == 0 {
		close(f.begun)
	}
	return f.Builder.Write(p)
}

// TestLogs_FollowFromTheStart_EachLineOnce: it begins before the first output, and the log is rotated several times.
func TestLogs_FollowFromTheStart_EachLineOnce(t *testing.T) {
	w := newWorld(t)
	started, followed := make(chan struct{}), make(chan struct{})
	const lines = 60_000
	line := func(i int) string { return fmt.Sprintf("%099d\n", i) }
	w.Program("app.exe", func(p *jobtest.Proc) uint32 {
		close(started)
		fmt.Fprint(p.Stdout, line(0))
		<-followed
		for i := 1; i < lines; i++ {
			fmt.Fprint(p.Stdout, line(i))
		}
		return 0
	})
	runs, follows := *w.app, *w.app
	out := &firstWrite{begun: followed}
	var stderr strings.Builder
	runs.Stdout, runs.Stderr = &strings.Builder{}, &strings.Builder{}
	follows.Stdout, follows.Stderr = out, &stderr
	ended := make(chan int, 2)
	go func() {
		args := []string{"run", "--name", "mine", "--log", filepath.Join(w.dir, "x.log"), "--log-max-size", "1", "--", "app"}
		ended <- runs.Main(t.Context(), "silo.exe", args)
	}()
	<-started
	for _, err := w.app.Node.Records.Read("mine"); err != nil; _, err = w.app.Node.Records.Read("mine") {
		runtime.Gosched() // the test's own deadline bounds it
	}
	go func() { ended <- follows.Main(t.Context(), "silo.exe", []string{"logs", "-f", "-t", "Silo/MINE"}) }()
	if a, b := <-ended, <-ended; a != 0 || b != 0 {
		t.Fatal(a, b, stderr.String())
	}
	stamp := regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z `)
	i, before := 0, ""
	for text := range strings.Lines(out.String()) {
		at := stamp.FindString(text)
		if at == "" || at < before || strings.TrimPrefix(text, at) != line(i) {
			t.Fatalf("line %d: %q after %q", i, text, before)
		}
		i, before = i+1, at
	}
	if i != lines || stderr.Len() > 0 {
		t.Errorf("%d lines of %d, %s", i, lines, &stderr)
	}
}
