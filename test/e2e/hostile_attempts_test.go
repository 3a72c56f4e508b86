package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/test/workload"
)

// attempt is a hostile program and what must be true after it.
type attempt struct {
	name, happened, prevention string // its row in SECURITY.md

	verb  string                              // of the mode hostile
	args  func(v *victim, id string) []string // after the verb
	want  string                              // the result begins with it; "" for any
	check func(t *testing.T, v *victim, id, result string)
}

// jobOf is the name of a container's job.
func jobOf(id string) string { return `Global\silo/default/` + id }

// ownJob is the name of the job of the container.
func ownJob(_ *victim, id string) []string { return []string{jobOf(id)} }

// these are arguments that do not depend on the container.
func these(args ...string) func(*victim, string) []string {
	return func(*victim, string) []string { return args }
}

// attempts are the rows, in the order of the page.
var attempts = []attempt{
	{
		name: "opens its job with all rights and raises the limits", happened: "the limits are as it wants; the container still ends whole",
		prevention: "nothing, for LocalSystem and administrators; the job's descriptor, for others",
		verb:       "loosen", args: ownJob, want: "yes", check: endsWhole,
	},
	{
		name: "terminates its job", happened: "the container ends with the exit code that it chose",
		prevention: "nothing, as above", verb: "terminate", args: ownJob, check: endsWithCode(33),
	},
	{
		name: "keeps its job open and terminates the shim", happened: "containerd runs `delete`, which terminates the job by its name",
		prevention: "nothing prevents the kill, as above", verb: "kill", args: ownJob, check: shimIsReplaced,
	},
	{
		name: "connects to the shim's pipe 16 times and sends garbage", happened: "the shim answers containerd",
		prevention: "the pipe's descriptor, for others than LocalSystem and administrators; ttrpc closes each connection, and messages above 4 MiB are refused",
		verb:       "pipe", args: addressOf, want: "yes", check: endsWhole,
	},
	{
		name: "creates the job and the stop event of a container that does not exist yet", happened: "the other container is refused, with the name in the error, until the program ends",
		prevention: "never a second handle to the job of another one; ids of Kubernetes are random", verb: "squat", args: namesOfNext, want: "yes", check: nameIsRefused,
	},
	{
		name: "sends console events to the shim", happened: "refused: the shim has no console",
		prevention: "the shim starts detached", verb: "console", args: these(), want: "no console", check: endsWhole,
	},
	{
		name: "starts a process with CREATE_BREAKAWAY_FROM_JOB, detached, in a new group", happened: "refused, or the process is in the job",
		prevention: "the job, without breakaway (U29)", verb: "breakaway", args: these(), check: childIsMember,
	},
	{
		name: "starts a process as a child of the shim", happened: "**the process is outside the job and continues after the container**",
		prevention: "nothing, for LocalSystem and administrators; as others, the program cannot open the shim", verb: "reparent", args: escapeUntil, want: "yes", check: escapes,
	},
	{
		name: "starts 30 processes, detached, and exits", happened: "all of them end with init",
		prevention: "the job", verb: "fork", args: these("30"), want: "yes", check: endsByItself,
	},
	{
		name: "keeps four chains of processes, each of which starts the next one and exits", happened: "its processes are listed and measured; a kill ends all of them",
		prevention: "the job, which ends them at once (U163)", verb: "chains", args: these("4"), want: "yes", check: answersAndEndsWhole,
	},
	{
		name: "gives the write ends of its output to the shim, and exits", happened: "the exit is announced; the output ends 2 s later at most",
		prevention: "the timeout of the drain", verb: "give", args: these(), want: "yes", check: endsByItself,
	},
	{
		name: "closes its standard streams", happened: "the container runs on and can be ended",
		prevention: "streams do not decide about the state", verb: "closeown", args: these(), want: "yes", check: endsWhole,
	},
	{
		name: "renames its executable and puts another file there", happened: "an exec of that path fails; the container ends as usual",
		prevention: "the rights of the file", verb: "image", args: these(), want: "yes", check: execFails,
	},
	{
		name: "takes the realtime priority", happened: "it gets it", prevention: "limits of the container: priority, CPU rate, affinity (U2, U4)",
		verb: "priority", args: these(), want: "yes", check: endsWhole,
	},
}

// endsWhole: the container runs, and a kill ends all of its processes.
func endsWhole(t *testing.T, v *victim, id, _ string) {
	if row := v.row(t, id); len(row) < 3 || row[2] != "RUNNING" {
		t.Errorf("the task is %v, want RUNNING", row)
	}
	v.remove(t, id)
}

// answersAndEndsWhole: the members that come and go are listed and measured.
func answersAndEndsWhole(t *testing.T, v *victim, id, result string) {
	most := 0
	for range 10 {
		most = max(most, strings.Count(v.ctr(t, "task", "ps", id), id+".exe"))
		if text := v.ctr(t, "task", "metrics", id); !strings.Contains(text, "memory") {
			t.Errorf("the metrics are\n%s", text)
		}
	}
	if most < 2 { // init, and a member of a chain
		t.Errorf("the container was never seen with more than %d processes", most)
	}
	endsWhole(t, v, id, result)
}

// execFails: an exec of the file that replaced the program fails, and names it.
func execFails(t *testing.T, v *victim, id, result string) {
	image := v.wine.WindowsPath(filepath.Join(v.dir, id+".exe"))
	if r := v.daemon.try(t, "task", "exec", "--exec-id", "x", id, image); r.code == 0 || !strings.Contains(r.stderr, "process.args[0]") {
		t.Errorf("exec: exit %d, %q; want an error that names process.args[0]", r.code, r.stderr)
	}
	endsWhole(t, v, id, result)
}

// endsByItself: init has exited, and the task stops.
func endsByItself(t *testing.T, v *victim, id, _ string) {
	v.awaitStopped(t, id)
	v.remove(t, id)
}

// endsWithCode: the task stops with that exit code.
func endsWithCode(code int) func(*testing.T, *victim, string, string) {
	return func(t *testing.T, v *victim, id, _ string) {
		v.awaitStopped(t, id)
		want := fmt.Sprintf("exit code %d", code)
		if r := v.daemon.try(t, "task", "delete", id); !strings.Contains(r.stderr, want) {
			t.Errorf("task delete: %q, want %s", r.stderr, want)
		}
		v.ctr(t, "container", "delete", id)
	}
}

// shimIsReplaced: containerd has noticed the end of the shim, and its delete has ended the program.
func shimIsReplaced(t *testing.T, v *victim, id, _ string) {
	until(t, "the task is gone", func() bool { row := v.row(t, id); return len(row) < 3 || row[2] == "STOPPED" })
	v.daemon.try(t, "task", "delete", "--force", id) // it may not exist
	v.ctr(t, "container", "delete", id)
}

// addressOf names the file with the address of the shim, which appears with the container.
func addressOf(v *victim, id string) []string {
	return []string{v.wine.WindowsPath(filepath.Join(v.StateDir(), "io.containerd.runtime.v2.task", "default", id, "address"))}
}

// namesOfNext names the objects of a later container.
func namesOfNext(_ *victim, id string) []string {
	return []string{jobOf(id + "next"), `event:Global\silo-stop/` + id + "next"}
}

// nameIsRefused: the later container is refused while its name is in use, and runs afterwards.
func nameIsRefused(t *testing.T, v *victim, id, what string) {
	next := func() result {
		return v.daemon.try(t, v.runArgs(t, workload.Spec("print", "hello"), id+"next", "--rm")...)
	}
	if r := next(); r.code == 0 || !strings.Contains(r.stderr, jobOf(id+"next")) || !strings.Contains(r.stderr, "already exists") {
		t.Errorf("exit %d, %q; want an error that names the job", r.code, r.stderr)
	}
	v.daemon.try(t, "container", "delete", id+"next") // ctr may have left it
	endsWhole(t, v, id, what)
	if r := next(); r.code != 0 || strings.TrimSpace(r.stdout) != "hello" {
		t.Errorf("afterwards: exit %d, %q, %q", r.code, r.stdout, r.stderr)
	}
}

// childIsMember: if there is a child it is a member.
func childIsMember(t *testing.T, v *victim, id, result string) {
	want := 1
	if result == "yes" {
		want = 2
	}
	until(t, "the members are init and its child", func() bool {
		return strings.Count(v.ctr(t, "task", "ps", id), id+".exe") == want
	})
	endsWhole(t, v, id, result)
}

// escapeUntil names the file at which the process outside of the job ends.
func escapeUntil(v *victim, id string) []string {
	return []string{v.wine.WindowsPath(v.end(id))}
}

// end is that file.
func (v *victim) end(id string) string { return filepath.Join(v.dir, id+".end") }

// escapes: the shim cannot prevent it. The task ends all the same, and its name is free.
func escapes(t *testing.T, v *victim, id, result string) {
	endsByItself(t, v, id, result)
	if v.hostile(t, id) != 1 {
		t.Error("no process is left: SECURITY.md can promise more")
	}
	if err := os.WriteFile(v.end(id), nil, 0o600); err != nil {
		t.Fatal(err)
	}
}
