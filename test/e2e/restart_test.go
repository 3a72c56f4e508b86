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

// restarts is how often TestContainerd_RestartsUnderTraffic_NothingIsLost kills containerd; `make restarts` sets more.
var restarts = flag.Int("restarts", 3, "times that containerd is killed while containers run")

// containerd.exe is killed repeatedly while one container prints without a pause and others exit: before the kill, while
// no containerd runs, and after. No task is lost, each has its exit code, and lines and events are complete and in order.
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
		printer.waitForLines(t)
	}
	printer.end(t)
	d.nothingLeft(t)
	t.Logf("%d restarts; of %d exits around them %d came before the subscriber was back", *restarts, 2**restarts, missed)
}

// restartAmongExits restarts containerd around the exits of three containers. It returns how many of the exits were
// published before the subscriber was back: containerd has no history, and the shim may be faster than this test.
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
	for _, id := range ids { // a request that containerd was serving when it was killed gets no answer
		events.of(t, id, "start")
	}
	ends[0]()
	gap := events.interruptions() > began // ctr has ended by itself and may have missed events
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
		d.awaitStopped(t, id)
		if r := d.try(t, "task", "delete", id); !strings.Contains(r.stderr, fmt.Sprintf("exit code %d", code)) {
			t.Errorf("round %d, container %d: task delete printed %q, want exit code %d", round, i, r.stderr, code)
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

// announced checks the order of a container's events. An exit during the restart may have reached no subscriber, or have
// come twice: containerd forwarded it and was killed before it answered the shim.
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

// printer is a container that prints numbers to a log file.
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
	p.waitForLines(t)
	return p
}

// waitForLines waits until the log has grown.
func (p *printer) waitForLines(t *testing.T) {
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

// end ends the container and compares the log with the lines that the container has printed.
func (p *printer) end(t *testing.T) {
	t.Helper()
	if err := os.WriteFile(p.stop, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	p.d.awaitStopped(t, p.id)
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
	t.Logf("%d lines, none lost or repeated", len(lines))
	p.d.remove(t, p.id)
}

// containerd.exe is killed while a container runs.
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
	d.awaitStopped(t, id)
	if r := d.try(t, "task", "delete", id); !strings.Contains(r.stderr, "137") {
		t.Errorf("task delete printed %q, want exit code 137", r.stderr)
	}
	d.nothingLeft(t)
}
