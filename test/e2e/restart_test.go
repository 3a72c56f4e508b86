package e2e

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/test/workload"
)

// restarts is how often TestContainerd_RestartsUnderTraffic_NothingIsLost kills containerd; `make restarts` asks for more.
var restarts = flag.Int("restarts", 3, "times that containerd is killed while containers run")

// TestContainerd_RestartsUnderTraffic_NothingIsLost kills containerd.exe again and again, while one container prints without a pause and others
// end: before the kill, while no containerd is there, and after. No task is lost, each ends with its own exit code, the
// printed lines are complete and in order, and so are the events.
func TestContainerd_RestartsUnderTraffic_NothingIsLost(t *testing.T) {
	d := newDaemon(t)
	printer := d.startPrinter(t)
	events := d.record(t)
	events.ready(t)
	missed := 0
	for round := range *restarts {
		missed += d.restartAmongExits(t, events, round)
		if row := d.row(t, printer.id); len(row) < 3 || row[2] != "RUNNING" {
			t.Fatalf("round %d: the printing container is %v, want RUNNING", round, row)
		}
		printer.goesOn(t)
	}
	printer.end(t)
	d.nothingLeft(t)
	t.Logf("%d restarts; of %d exits around them %d came before the subscriber was back", *restarts, 2**restarts, missed)
}

// restartAmongExits restarts containerd around the ends of three containers. It returns how many of their exits were
// announced to a containerd without subscribers: it keeps no history, and the shim may be faster than this test.
func (d *daemon) restartAmongExits(t *testing.T, events *recorder, round int) (missed int) {
	t.Helper()
	began := events.interruptions()
	code := round%100 + 3
	var ids []string
	var ends []func()
	for i := range 3 {
		file := filepath.Join(t.TempDir(), fmt.Sprintf("%d-%d", round, i))
		ids = append(ids, d.detach(t, workload.Spec("await", d.wine.WindowsPath(file), strconv.Itoa(code))))
		ends = append(ends, func() {
			if err := os.WriteFile(file, nil, 0o644); err != nil {
				t.Fatal(err)
			}
		})
	}
	for _, id := range ids { // what is under way when containerd is killed comes to nobody
		events.of(t, id, "start")
	}
	ends[0]()
	gap := events.interruptions() > began // ctr has ended by itself: it missed what it missed
	if err := d.Kill(); err != nil {
		t.Fatal(err)
	}
	ends[1]()
	if err := d.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	events.ready(t)
	began = events.interruptions()
	ends[2]()
	for i, id := range ids {
		until(t, "the exit is seen", func() bool { row := d.row(t, id); return len(row) > 2 && row[2] == "STOPPED" })
		if r := d.try(t, "task", "delete", id); !strings.Contains(r.stderr, fmt.Sprintf("exit code %d", code)) {
			t.Errorf("round %d, container %d: task delete says %q, want exit code %d", round, i, r.stderr, code)
		}
		d.ctr(t, "container", "delete", id)
		topics := events.of(t, id, "delete")
		if gap = gap || events.interruptions() > began; gap {
			t.Logf("round %d: the subscriber was away, events %q", round, topics)
		} else if d.announced(t, topics, i < 2) {
			missed++
		}
	}
	return missed
}

// announced holds the events of a container to their order. One whose exit came about the restart may have been
// announced to nobody, or twice: containerd has told it and died before it answered the shim.
func (d *daemon) announced(t *testing.T, topics []string, restarted bool) (missed bool) {
	t.Helper()
	got := strings.Join(topics, " ")
	switch {
	case got == "create start exit delete":
	case restarted && got == "create start delete":
		return true
	case restarted && got == "create start exit exit delete":
		t.Log("an exit was announced again after a containerd that did not answer")
	default:
		t.Errorf("events %q, want create, start, exit, delete", topics)
	}
	return false
}

// printer is a container that prints numbers into a log file.
type printer struct {
	d         *daemon
	id        string
	log, stop string
}

func (d *daemon) startPrinter(t *testing.T) *printer {
	t.Helper()
	dir := t.TempDir()
	p := &printer{d: d, id: newID(), log: filepath.Join(dir, "out.log"), stop: filepath.Join(dir, "stop")}
	uri := "file:///" + strings.ReplaceAll(d.wine.WindowsPath(p.log), `\`, "/")
	d.ctr(t, d.runArgs(t, workload.Spec("count", d.wine.WindowsPath(p.stop)), p.id, "-d", "--log-uri", uri)...)
	p.goesOn(t)
	return p
}

// goesOn waits until the log is longer than now.
func (p *printer) goesOn(t *testing.T) {
	t.Helper()
	size := func() int64 {
		info, err := os.Stat(p.log)
		if err != nil {
			return 0
		}
		return info.Size()
	}
	now := size()
	until(t, "the program prints", func() bool { return size() > now })
}

// end ends the container and holds the log to what it must have printed.
func (p *printer) end(t *testing.T) {
	t.Helper()
	if err := os.WriteFile(p.stop, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	until(t, "the exit is seen", func() bool { row := p.d.row(t, p.id); return len(row) > 2 && row[2] == "STOPPED" })
	text, err := os.ReadFile(p.log)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Fields(string(text))
	for n, line := range lines[:len(lines)-1] {
		if line != strconv.Itoa(n) {
			t.Fatalf("line %d of %d is %q", n, len(lines), line)
		}
	}
	if last := lines[len(lines)-1]; last != "end" {
		t.Errorf("the last line is %q, want end", last)
	}
	t.Logf("%d lines, none lost or doubled", len(lines))
	p.d.remove(t, p.id)
}

// TestContainerd_Restarted_TaskContinues kills containerd.exe while a container runs.
func TestContainerd_Restarted_TaskContinues(t *testing.T) {
	d := newDaemon(t)
	id := d.detach(t, workload.Spec("sleep", "600"))
	if err := d.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if row := d.row(t, id); len(row) < 3 || row[2] != "RUNNING" {
		t.Fatalf("task ls after the restart shows %v, want RUNNING", row)
	}
	if got := d.ctr(t, "task", "exec", "--exec-id", "e", id, workload.Payload, "print", "still", "here"); strings.TrimSpace(got) != "still here" {
		t.Errorf("exec after the restart printed %q", got)
	}
	d.ctr(t, "task", "kill", "-s", "SIGKILL", id)
	until(t, "the exit is seen", func() bool { row := d.row(t, id); return len(row) > 2 && row[2] == "STOPPED" })
	if r := d.try(t, "task", "delete", id); !strings.Contains(r.stderr, "137") {
		t.Errorf("task delete says %q, want exit code 137", r.stderr)
	}
	d.nothingLeft(t)
}
