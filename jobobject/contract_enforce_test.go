package jobobject_test

import (
	"bufio"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// launch starts the workload and returns the lines that it prints. It ends with
// its stdin, at the end of the test.
func (e environment) launch(t *testing.T, j *jobobject.Job, args ...string) (*jobobject.Process, *bufio.Reader) {
	t.Helper()
	inR, inW := pipe(t)
	outR, outW := pipe(t)
	o := e.options(args...)
	o.Stdin, o.Stdout = inR, outW
	p := start(t, j, o)
	inR.Close()
	outW.Close()
	t.Cleanup(func() { inW.Close() })
	return p, bufio.NewReader(outR)
}

// line is the next one of out, empty at its end.
func line(out *bufio.Reader) string {
	s, _ := out.ReadString('\n')
	return strings.TrimSpace(s)
}

func testBreakaway(t *testing.T, e environment) {
	j := e.create(t, jobobject.Options{KillOnClose: true})
	_, out := e.launch(t, j, "stray")
	if got := line(out); got != "refused" {
		t.Fatalf("a stray child was not refused: %q", got)
	}
	if err := j.SetLimits(t.Context(), jobobject.Limits{KillOnClose: true, Breakaway: jobobject.BreakawayOnRequest}); err != nil {
		t.Fatal(err)
	}
	parent, out := e.launch(t, j, "stray")
	e.wantOutside(t, j, parent.Pid(), out)
	// A child that did not ask for it stays.
	both := e.startTree(t, j, 2)
	pids, err := j.Pids()
	if err != nil || !slices.Contains(pids, both.pids[0]) || !slices.Contains(pids, both.pids[1]) {
		t.Errorf("pids = %v, %v, want %v among them", pids, err, both.pids)
	}
}

func testSilentBreakaway(t *testing.T, e environment) {
	j := e.create(t, jobobject.Options{KillOnClose: true})
	if err := j.SetLimits(t.Context(), jobobject.Limits{KillOnClose: true, Breakaway: jobobject.BreakawayAlways}); err != nil {
		t.Fatal(err)
	}
	parent, out := e.launch(t, j, "tree", "2")
	e.wantOutside(t, j, parent.Pid(), out)
}

// wantOutside reads the pids of a parent and its child, in any order, and wants
// only the parent in the job.
func (e environment) wantOutside(t *testing.T, j *jobobject.Job, parent uint32, out *bufio.Reader) {
	t.Helper()
	printed := []string{line(out), line(out)}
	pids, err := j.Pids()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range printed {
		pid, err := strconv.ParseUint(s, 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		if member := slices.Contains(pids, uint32(pid)); member != (uint32(pid) == parent) {
			t.Errorf("process %d is a member: %v; the parent is %d, the members %v", pid, member, parent, pids)
		}
	}
}

func testMemoryLimit(t *testing.T, e environment) {
	e.requireEnforcement(t)
	j := e.create(t, jobobject.Options{KillOnClose: true})
	messages := j.Messages()
	if err := j.SetLimits(t.Context(), jobobject.Limits{KillOnClose: true, JobMemory: 128 << 20}); err != nil {
		t.Fatal(err)
	}
	p, out := e.launch(t, j, "commit", "1024")
	if got := line(out); got != "" {
		t.Errorf("the process held more than its job may: %q", got)
	}
	if code := wait(t, p); code == 0 {
		t.Error("exit code = 0, want a failure")
	}
	await(messages, jobobject.JobMemoryLimit)
}

// await reads messages until one of kind comes.
func await(messages <-chan jobobject.Message, kind jobobject.MessageKind) jobobject.Message {
	for m := range messages {
		if m.Kind == kind {
			return m
		}
	}
	return jobobject.Message{}
}

func testProcessLimit(t *testing.T, e environment) {
	e.requireEnforcement(t)
	j := e.create(t, jobobject.Options{KillOnClose: true})
	messages := j.Messages()
	if err := j.SetLimits(t.Context(), jobobject.Limits{KillOnClose: true, ActiveProcesses: 1}); err != nil {
		t.Fatal(err)
	}
	e.launch(t, j, "tree", "1")
	if p, err := j.Start(e.options("exit", "0")); err == nil {
		p.Close()
		t.Error("a process was started beyond the limit")
	}
	if a, err := j.Accounting(); err != nil || a.Active != 1 {
		t.Errorf("accounting = %+v, %v, want 1 active", a, err)
	}
	if m := await(messages, jobobject.ActiveProcessLimit); m.Pid != 0 {
		t.Errorf("message of %d, want of the whole job", m.Pid)
	}
}

func testProcessTime(t *testing.T, e environment) {
	e.requireEnforcement(t)
	j := e.create(t, jobobject.Options{KillOnClose: true})
	messages := j.Messages()
	if err := j.SetLimits(t.Context(), jobobject.Limits{KillOnClose: true, ProcessUserTime: 50 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	p := start(t, j, e.options("burn"))
	if code := wait(t, p); code != jobtest.QuotaExit {
		t.Errorf("exit code = %d, want %d", code, jobtest.QuotaExit)
	}
	if m := await(messages, jobobject.EndOfProcessTime); m.Pid != p.Pid() {
		t.Errorf("message of %d, want of %d", m.Pid, p.Pid())
	}
}

func testJobTime(t *testing.T, e environment) {
	e.requireEnforcement(t)
	j := e.create(t, jobobject.Options{KillOnClose: true})
	if err := j.SetLimits(t.Context(), jobobject.Limits{KillOnClose: true, JobUserTime: 50 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	idle, _ := e.launch(t, j, "tree", "1")
	for _, p := range []*jobobject.Process{start(t, j, e.options("burn")), idle} {
		if code := wait(t, p); code != jobtest.QuotaExit {
			t.Errorf("exit code = %d, want %d", code, jobtest.QuotaExit)
		}
	}
}

func testJobTimeMessage(t *testing.T, e environment) {
	e.requireEnforcement(t)
	j := e.create(t, jobobject.Options{KillOnClose: true})
	messages := j.Messages()
	l := jobobject.Limits{KillOnClose: true, JobUserTime: 50 * time.Millisecond, AtJobTime: jobobject.JobTimeNotify}
	e.requires(t, j.SetLimits(t.Context(), l), "the action at job time")
	p := start(t, j, e.options("burn"))
	await(messages, jobobject.EndOfJobTime)
	if err := j.Terminate(5); err != nil {
		t.Fatal(err)
	}
	if code := wait(t, p); code != 5 {
		t.Errorf("exit code = %d, want that of terminate, 5", code)
	}
}

func testNotificationLimits(t *testing.T, e environment) {
	j := e.create(t, jobobject.Options{})
	for _, want := range []jobobject.NotificationLimits{
		{HighMemory: 1 << 40}, {LowMemory: 1 << 12}, {HighMemory: 1 << 40, LowMemory: 1 << 12},
		{JobUserTime: time.Hour}, {ReadBytes: 1 << 40}, {WriteBytes: 1 << 40}, {},
	} {
		e.requires(t, j.SetNotificationLimits(want), "notification limits")
		if got, err := j.NotificationLimits(); err != nil || got != want {
			t.Errorf("notification limits = %+v, %v, want %+v", got, err, want)
		}
	}
	if v, err := j.Violation(); err != nil || !reflect.DeepEqual(v, jobobject.Violation{}) {
		t.Errorf("violation = %+v, %v, want none", v, err)
	}
	if err := j.SetNotificationLimits(jobobject.NotificationLimits{HighMemory: 1, LowMemory: 2}); err == nil {
		t.Error("LowMemory above HighMemory was accepted")
	}
}

func testMemoryThreshold(t *testing.T, e environment) {
	j := e.create(t, jobobject.Options{KillOnClose: true})
	messages := j.Messages()
	const threshold = 128 << 20
	e.requires(t, j.SetNotificationLimits(jobobject.NotificationLimits{HighMemory: threshold}), "notification limits")
	_, out := e.launch(t, j, "commit", "256")
	if line(out) == "" {
		t.Error("the process was stopped by a notification limit")
	}
	await(messages, jobobject.NotificationLimit)
	v, err := j.Violation()
	if err != nil || v.HighMemory == nil || v.HighMemory.Threshold != threshold || v.HighMemory.Value <= threshold {
		t.Errorf("violation = %+v, %v, want of the high threshold, %d", v, err, threshold)
	}
}

func testAbnormalExit(t *testing.T, e environment) {
	j := e.create(t, jobobject.Options{KillOnClose: true})
	messages := j.Messages()
	const accessViolation = 0xC0000005
	p := start(t, j, e.options("exit", strconv.Itoa(accessViolation)))
	if code := wait(t, p); code != accessViolation {
		t.Errorf("exit code = %#x, want %#x", code, uint32(accessViolation))
	}
	for m := range messages {
		switch {
		case m.Pid != p.Pid() || m.Kind == jobobject.NewProcess:
		case m.Kind == jobobject.AbnormalExit:
			return
		case m.Kind == jobobject.ExitProcess:
			e.skip(t, "messages of abnormal exits", m.Kind)
		default:
			t.Fatalf("message %v, want %v", m.Kind, jobobject.AbnormalExit)
		}
	}
}
