package command_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// refusing is a kernel that refuses to open some jobs.
type refusing struct {
	jobobject.Kernel
	names map[string]bool
}

var errRefused = errors.New("access is denied")

func (k *refusing) OpenJob(name string, access jobobject.Access) (jobobject.Handle, error) {
	if k.names[name] {
		return 0, errRefused
	}
	return k.Kernel.OpenJob(name, access)
}

// atLook calls each function in the pause after the look with its number, from 1.
func (w *world) atLook(acts map[int]func()) {
	n := 0
	w.app.Pause = func(d time.Duration) {
		w.Advance(d)
		if n++; acts[n] != nil {
			acts[n]()
		}
	}
}

// onTerminal makes stdout and stderr terminals of this size.
func (w *world) onTerminal(columns, lines int) {
	w.app.Terminal = func(io.Writer) (int, int, bool) { return columns, lines, true }
}

// looks are the texts that a terminal showed, without control sequences.
func looks(out string) []string {
	out = strings.NewReplacer("\x1b[?1049h\x1b[?25l", "", "\x1b[K", "", "\x1b[J", "").Replace(out)
	out, _, _ = strings.Cut(out, "\x1b[?25h")
	return strings.Split(out, "\x1b[H")[1:]
}

func end(t *testing.T, job *jobobject.Job) func() {
	return func() {
		if err := job.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestStats_NotATerminal_MeasuresTwiceAndPrintsOnce(t *testing.T) {
	w := newWorld(t)
	_, web := w.container(t, "default/web")
	web.Busy(0.5, 0)
	if code := w.silo(t, "stats"); code != 0 {
		t.Fatalf("%d %s", code, &w.Stderr)
	}
	lines := strings.Split(strings.TrimSpace(w.Stdout.String()), "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[1], "default/web  0.50") || strings.Contains(w.Stdout.String(), "\x1b") {
		t.Errorf("%q, want one table with 0.50 processors", &w.Stdout)
	}
	w.onTerminal(200, 50)
	for _, flags := range [][]string{{"stats", "--no-stream"}, {"stats", "-o", "json"}} {
		if code := w.silo(t, flags...); code != 0 || strings.Contains(w.Stdout.String(), "\x1b") || !strings.Contains(w.Stdout.String(), "0.5") {
			t.Errorf("%v on a terminal: %d %q", flags, code, &w.Stdout)
		}
	}
}

func TestStats_Format_HasDockersFields(t *testing.T) {
	w := newWorld(t)
	_, web := w.container(t, "default/web")
	web.Busy(0.5, 0)
	if code := w.silo(t, "stats", "--format", "{{.ID}} {{.CPUPerc}} {{.MemUsage}} {{.MemPerc}} {{.PIDs}}", "web"); code != 0 {
		t.Fatalf("%d %s", code, &w.Stderr)
	}
	if got := w.Stdout.String(); got != "web 50.00% 2 MiB / - - 1\n" {
		t.Errorf("%q", got)
	}
	if code := w.silo(t, "stats", "--format", "{{.Nothing}}"); code != 125 || !strings.Contains(w.Stderr.String(), ".CPUPerc") {
		t.Errorf("an unknown field: %d %s", code, &w.Stderr)
	}
	w.onTerminal(200, 50)
	if code := w.silo(t, "stats", "--format", "table {{.Name}}", "--count", "1"); code != 0 || !strings.Contains(w.Stdout.String(), "default/web") {
		t.Errorf("streaming: %d %q %s", code, &w.Stdout, &w.Stderr)
	}
}

func TestStats_OnATerminal_StreamsUntilTheLastEnds(t *testing.T) {
	w := newWorld(t)
	w.onTerminal(200, 50)
	web, _ := w.container(t, "default/web")
	db, p := w.container(t, "default/db")
	p.Busy(1, 0)
	w.atLook(map[int]func(){2: end(t, web), 4: end(t, db)})
	if code := w.silo(t, "stats", "web", "db"); code != 0 {
		t.Errorf("exit code %d: %s", code, &w.Stderr)
	}
	all := looks(w.Stdout.String())
	if len(all) != 5 {
		t.Fatalf("%d looks, want 5:\n%s", len(all), &w.Stdout)
	}
	for i, want := range []string{"default/web  -  ", "default/web  0.00  ", "default/web  gone  ", "default/web  gone  ", "default/db   gone  "} {
		if !strings.Contains(all[i], want) {
			t.Errorf("look %d lacks %q:\n%s", i+1, want, all[i])
		}
	}
	if !strings.Contains(all[3], "default/db   1.00  ") {
		t.Errorf("db is not shown after the end of web:\n%s", all[3])
	}
	if !strings.HasSuffix(w.Stdout.String(), "\x1b[?25h\x1b[?1049l"+all[4]) {
		t.Errorf("the end restores no screen: %q", &w.Stdout)
	}
}

func TestStats_OneFails_OthersGoOnAndExitCodeIs1(t *testing.T) {
	for verb, args := range map[string][]string{
		"stream": {"stats", "--stream", "web", "db"}, "once": {"stats", "web", "db"}, "all": {"stats"},
		"top --live": {"top", "--live", "web", "db"}, "top": {"top", "web", "db"}, "top of all": {"top"},
	} {
		t.Run(verb, func(t *testing.T) {
			w := newWorld(t)
			web, _ := w.container(t, "default/web")
			db, _ := w.container(t, "default/db")
			k := &refusing{Kernel: w.Kernel, names: map[string]bool{`Global\silo/default/web`: true}}
			w.app.Kernel = k
			w.atLook(map[int]func(){3: end(t, db), 4: end(t, web)})
			if code := w.silo(t, args...); code != 1 || !strings.Contains(w.Stderr.String(), "default/web") {
				t.Errorf("exit code %d %q, want 1 and the name", code, &w.Stderr)
			}
			if !strings.Contains(w.Stdout.String(), "default/db") {
				t.Errorf("db is not shown:\n%s", &w.Stdout)
			}
		})
	}
}

// A name without a container does not keep the others from being shown.
func TestStats_UnknownName_OthersAreShown(t *testing.T) {
	w := newWorld(t)
	web, _ := w.container(t, "default/web")
	w.atLook(map[int]func(){3: end(t, web)})
	for _, args := range [][]string{{"stats", "no", "web"}, {"top", "no", "web"}, {"top", "--live", "no", "web"}} {
		code := w.silo(t, args...)
		if code != 1 || !strings.Contains(w.Stdout.String(), "default/web") || strings.Count(w.Stderr.String(), "find container no") != 1 {
			t.Errorf("%v: %d %q\n%s", args, code, &w.Stderr, &w.Stdout)
		}
	}
	if code := w.silo(t, "top", "--live", "no"); code != 1 {
		t.Errorf("without any container: exit code %d, want 1", code)
	}
}

func TestTop_ContainerEnds_OthersGoOn(t *testing.T) {
	w := newWorld(t)
	w.onTerminal(200, 50)
	web, _ := w.container(t, "default/web")
	db, _ := w.container(t, "default/db")
	w.atLook(map[int]func(){1: end(t, web), 3: end(t, db)})
	if code := w.silo(t, "top", "--live", "web", "db"); code != 0 {
		t.Errorf("exit code %d: %s", code, &w.Stderr)
	}
	all := looks(w.Stdout.String())
	if len(all) != 4 || !strings.Contains(all[1], "default/web is gone\n") || !strings.Contains(all[2], "default/db  app.exe") {
		t.Errorf("%d looks, want 4, the second without web and the third with db:\n%s", len(all), &w.Stdout)
	}
}

// The lines of each look are cut to the size that the terminal has then.
func TestTop_TerminalResized_LinesAreCut(t *testing.T) {
	w := newWorld(t)
	w.container(t, "default/web")
	w.container(t, "default/db")
	w.onTerminal(30, 50)
	w.atLook(map[int]func(){1: func() { w.onTerminal(60, 4) }, 2: func() { w.onTerminal(200, 50) }})
	if code := w.silo(t, "top", "--live", "--count", "3"); code != 0 {
		t.Fatalf("%d %s", code, &w.Stderr)
	}
	all := looks(w.Stdout.String())
	for i, size := range []struct{ columns, lines int }{{30, 50}, {60, 4}, {200, 50}} {
		lines := strings.Split(strings.TrimSuffix(all[i], "\n"), "\n")
		if len(lines) >= size.lines {
			t.Errorf("look %d has %d lines, want less than %d", i+1, len(lines), size.lines)
		}
		for _, line := range lines {
			if len(line) >= size.columns {
				t.Errorf("look %d: %q has %d columns, want less than %d", i+1, line, len(line), size.columns)
			}
		}
	}
	if !strings.Contains(all[2], "PARENT\n") || strings.Contains(all[1], "PRIVATE WORKING SET") {
		t.Errorf("the second look is too wide, or the third is cut:\n%s", &w.Stdout)
	}
	w.onTerminal(30, 50)
	if w.silo(t, "top"); strings.Contains(w.Stdout.String(), "SET") || strings.Contains(w.Stdout.String(), "\x1b") {
		t.Errorf("one look is not cut: %q", &w.Stdout)
	}
	if w.silo(t, "top", "-o", "wide"); !strings.Contains(w.Stdout.String(), "PARENT\n") {
		t.Errorf("--output wide is cut:\n%s", &w.Stdout)
	}
}

func TestTable_ControlCharacters_DoNotReachTheTerminal(t *testing.T) {
	w := newWorld(t)
	w.container(t, "default/web")
	if _, err := w.Place(`Global\silo/default/web`, "a\x1b[2J\u202e\u009bb\tc\r\n.exe", jobtest.Self); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"top"}, {"top", "-o", "wide"}, {"top", "--live", "--count", "1"}} {
		if w.silo(t, args...); !strings.Contains(w.Stdout.String(), "a?[2J??b?c??.exe") {
			t.Errorf("%v: %q", args, &w.Stdout)
		}
	}
}

const long = "4f1c0de25a37b4f1c0de25a37b4f1c0de25a37b4f1c0de25a37b4f1c0de25a37"

// Tables shorten long ids, as docker does, except with --output wide.
func TestTable_LongID_IsShortened(t *testing.T) {
	w := newWorld(t)
	ids = append(ids, "k8s.io/"+long)
	defer func() { ids = ids[:len(ids)-1] }()
	w.container(t, "k8s.io/"+long)
	for args, want := range map[string]string{
		"top": "k8s.io/4f1c0de25a37 ", "stats": "k8s.io/4f1c0de25a37 ", "top --live --count 1": "k8s.io/4f1c0de25a37 ",
		"top -o json": long, "top -o wide": long, "stats -o wide": long,
	} {
		if code := w.silo(t, strings.Fields(args)...); code != 0 || !strings.Contains(w.Stdout.String(), want) {
			t.Errorf("%s: %d %s, want %s in\n%s", args, code, &w.Stderr, want, &w.Stdout)
		}
	}
}
