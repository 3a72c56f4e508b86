package jobobject_test

import (
	"slices"
	"testing"
	"time"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// withoutConsole runs the test in a process without a console, if the test is about the kernel of this machine. It
// returns false after the test has run in another process. The Windows tests set it.
var withoutConsole = func(testing.TB) bool { return true }

func (e environment) withoutConsole(t testing.TB) bool {
	if _, simulated := e.kernel.(*jobtest.Kernel); simulated {
		return true
	}
	return withoutConsole(t)
}

// hosts is the number of members of a job that belong to one console.
func (e environment) hosts(t testing.TB) int {
	t.Helper()
	if e.hasConsoleHosts(t) {
		return 1
	}
	return 0
}

// awaitMembers waits until the job has n members: a console host can end after the last program on its console, and nothing tells.
func awaitMembers(t testing.TB, j *jobobject.Job, n int) {
	t.Helper()
	pause := time.NewTicker(5 * time.Millisecond)
	defer pause.Stop()
	for last := []uint32(nil); ; <-pause.C {
		pids, err := j.Pids()
		if err != nil {
			t.Fatal(err)
		}
		if len(pids) == n {
			return
		}
		if !slices.Equal(pids, last) {
			t.Logf("members %v, want %d of them", pids, n)
		}
		last = pids
	}
}

// wantMemberCount checks the number of members now.
func wantMemberCount(t testing.TB, j *jobobject.Job, when string, want int) {
	t.Helper()
	if pids, err := j.Pids(); err != nil || len(pids) != want {
		t.Errorf("%s: members %v, %v; want %d of them", when, pids, err, want)
	}
}

// startOn starts a workload on the console of another process, and returns when it has printed so many lines.
func (e environment) startOn(t testing.TB, j *jobobject.Job, other *jobobject.Process, lines int, args ...string) tree {
	t.Helper()
	o := e.options(args...)
	o.ConsoleOf = other
	made, _ := startPrinting(t, j, o, lines)
	return made
}

func testSharedConsole(t *testing.T, e environment) {
	if !e.withoutConsole(t) {
		return
	}
	j, hosts := e.create(t, jobobject.Options{KillOnClose: true}), e.hosts(t)
	first := e.startTree(t, j, 1)
	wantMemberCount(t, j, "first", 1+hosts)
	second := e.startOn(t, j, first.first, 2, "tree", "2")
	wantMemberCount(t, j, "second with a child, on the console of the first", 3+hosts)
	own := e.startTree(t, j, 1)
	wantMemberCount(t, j, "third, on a new console", 4+2*hosts)
	own.stdin.Close()
	awaitMembers(t, j, 3+hosts)

	first.stdin.Close()
	if code := wait(t, first.first); code != 0 {
		t.Errorf("exit code of the first %d, want 0", code)
	}
	awaitMembers(t, j, 2+hosts)
	e.startOn(t, j, second.first, 1, "tree", "1")
	wantMemberCount(t, j, "fourth, on the console of the first, which has ended", 3+hosts)
}

func testSharedConsoleGone(t *testing.T, e environment) {
	if !e.withoutConsole(t) {
		return
	}
	j, hosts := e.create(t, jobobject.Options{KillOnClose: true}), e.hosts(t)
	detached := e.startOn(t, j, nil, 1, "detach")
	awaitMembers(t, j, 1)
	e.startOn(t, j, detached.first, 1, "tree", "1")
	wantMemberCount(t, j, "the other process has no console", 2+hosts)

	ended := start(t, j, e.options("exit", "0"))
	wait(t, ended)
	awaitMembers(t, j, 2+hosts)
	e.startOn(t, j, ended, 1, "tree", "1")
	wantMemberCount(t, j, "the other process has ended", 3+2*hosts)

	closed := start(t, j, e.options("exit", "0"))
	wait(t, closed)
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	awaitMembers(t, j, 3+2*hosts)
	e.startOn(t, j, closed, 1, "tree", "1")
	wantMemberCount(t, j, "the other process is closed", 4+3*hosts)
}

func testSharedConsoleEvent(t *testing.T, e environment) {
	if !e.withoutConsole(t) {
		return
	}
	j := e.create(t, jobobject.Options{KillOnClose: true})
	first := e.startListener(t, j)
	second := e.startOn(t, j, first, 1, "event").first
	const want = 40 + uint32(jobobject.CtrlC)
	e.requires(t, second.Signal(jobobject.CtrlC), "console control events")
	if code := wait(t, second); code != want {
		t.Errorf("exit code %d of the process that the event is for, want %d", code, want)
	}
	if err := first.Signal(jobobject.CtrlC); err != nil {
		t.Errorf("event for the other process on the console: %v; want that it runs", err)
	}
	if code := wait(t, first); code != want {
		t.Errorf("exit code %d of the other process, want %d", code, want)
	}
}
