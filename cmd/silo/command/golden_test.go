package command_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/jobobject/jobtest"
)

var verbs = []string{
	"run", "supervise", "exec", "attach", "ps", "top", "stats", "inspect", "events", "logs", "update", "pause", "resume", "stop",
	"kill", "wait", "metrics", "explain", "doctor", "cleanup", "token", "service", "nspawn", "selftest", "version", "install", "uninstall", "dashboard",
	"rm", "start", "restart", "rename",
}

func TestHelp(t *testing.T) {
	w := newWorld(t)
	var all strings.Builder
	for _, verb := range append([]string{""}, verbs...) {
		args := append(strings.Fields(verb), "--help")
		if code := w.silo(t, args...); code != 0 {
			t.Errorf("silo %s: exit code %d: %s", strings.Join(args, " "), code, &w.Stderr)
		}
		fmt.Fprintf(&all, "$ silo %s\n%s\n", strings.Join(args, " "), &w.Stdout)
	}
	golden(t, "help.golden", all.String())
}

// badInput are command lines that must start nothing, each kind of mistake once.
var badInput = [][]string{
	{"frobnicate"},
	{"rnu"},
	{"run"},
	{"run", "--frob", "--", "app"},
	{"run", "--memory", "12parsecs", "--", "app"},
	{"run", "--memory", "1m", "--", "app"},
	{"run", "--cpus", "1", "--cpu-percent", "50", "--", "app"},
	{"run", "--cpus", "99", "--", "app"},
	{"run", "--cpu-weight", "10", "--", "app"},
	{"run", "--affinity", "0x100", "--", "app"},
	{"run", "--affinity", "n7", "--", "app"},
	{"run", "--priority", "urgent", "--", "app"},
	{"run", "--restart", "sometimes", "--", "app"},
	{"run", "--stop-signal", "SIGUSR1", "--", "app"},
	{"run", "--stop-grace", "soon", "--", "app"},
	{"run", "--timeout", "-1s", "--", "app"},
	{"run", "--name", "a/b", "--", "app"},
	{"run", "--name", "NUL", "--", "app"},
	{"run", "--integrity", "lofty", "--", "app"},
	{"run", "--env-file", "no/such/file", "--", "app"},
	{"run", "--env", "=x", "--", "app"},
	{"run", "--workdir", "here", "--", "app"},
	{"run", "--log-max-size", "0", "--", "app"},
	{"run", "--", "missing.exe"},
	{"run", "--", "script.bat", "100%"},
	{"run", "--rm", "--restart", "always", "--", "app"},
	{"run", "-it", "--", "app"},
	{"run", "-dit", "--", "app"},
	{"run", "-p", "80:80", "--", "app"},
	{"run", "-v", "C:\\a:C:\\b", "--", "app"},
	{"run", "--privileged", "--", "app"},
	{"run", "--entrypoint", "app", "--", "app"},
	{"run", "--network", "host", "--", "app"},
	{"run", "--timeout", "1x", "--", "app"},
	{"exec", "-it", "web", "--", "app"},
	{"exec", "-d", "web", "--", "app"},
	{"stop", "-t", "-1", "web"},
	{"stop", "--signal", "SIGUSR1", "web"},
	{"ps", "--output", "xml"},
	{"ps", "extra"},
	{"ps", "--filter", "health=a"},
	{"ps", "--filter", "label="},
	{"ps", "--filter", "pod="},
	{"ps", "--filter", "status=happy"},
	{"ps", "--filter", "kind=vm"},
	{"ps", "--format", "{{.Nam"},
	{"ps", "--format", "{{.Nam}}"},
	{"events", "--format", "table"},
	{"ps", "--format", "json", "-o", "wide"},
	{"rm", "missing"},
	{"rm", "default/web"},
	{"start", "missing"},
	{"restart", "default/web"},
	{"rename", "missing", "new"},
	{"rename", "missing", "a/b"},
	{"top", "--sort", "colour"},
	{"stats", "--interval", "0s"},
	{"inspect"},
	{"inspect", "missing"},
	{"update", "missing"},
	{"update", "--memory", "1g", "missing"},
	{"exec", "missing", "--", "app"},
	{"attach", "abc"},
	{"attach", "--leave", "--kill-on-exit", "4"},
	{"kill", "--signal", "SIGUSR1", "default/web"},
	{"wait", "missing"},
	{"logs", "missing"},
	{"metrics", "--listen", "0.0.0.0:1"},
	{"metrics", "--listen", "here"},
	{"metrics", "--path", "metrics"},
	{"dashboard", "--listen", "0.0.0.0:1"},
	{"dashboard", "--allow-host", "http://node"},
	{"run", "--server", "--", "app"},
	{"run", "--layer", "C:\\layer", "--", "app"},
	{"run", "--server", "--layer", "a", "--layer", "b", "--restart", "always", "--", "app"},
	{"run", "--server", "--layer", "a", "--layer", "b", "--restricted", "--", "app"},
	{"run", "--server", "--layer", "a", "--layer", "b", "--max-processes", "3", "--", "app"},
	{"run", "--server", "--layer", "no/such/layer", "--", "app"},
	{"run", "--mount", "source=C:\\a,target=C:\\b", "--", "app"},
	{"run", "--server", "--layer", "a", "--layer", "b", "--mount", "C:\\a:C:\\b", "--", "app"},
	{"run", "--server", "--layer", "a", "--layer", "b", "--mount", "source=C:\\a", "--", "app"},
	{"run", "--server", "--layer", "a", "--layer", "b", "--network", "nat", "--", "app"},
	{"run", "--server", "--layer", "a", "--layer", "b", "--network", "endpoint=1", "--", "app"},
	{"run", "--server", "--layer", "a", "--layer", "b", "--network", "dns-search=corp", "--", "app"},
	{"run", "--user", "jane", "--", "app"},
	{"nspawn", "-c", "testdata/unknown-nspawn.json"},
	{"nspawn", "-c", "testdata/nspawn-outside.json"},
	{"nspawn", "-c", "no/such/file"},
	{"nspawn", "-c", "testdata/nspawn.json", "extra"},
	{"explain"},
	{"explain", "no/such/file"},
	{"explain", "testdata/unknown-key.json"},
	{"explain", "testdata/unknown-nspawn.json"},
	{"service", "install", "x", "--", "ps"},
}

// systemSays is the part of a message that differs with the system.
var systemSays = regexp.MustCompile(`open no[/\\]such\S*: .*`)

func TestMain_BadInput_StartsNothing(t *testing.T) {
	w := newWorld(t)
	w.Program("app.exe", func(*jobtest.Proc) uint32 { t.Error("the program was started"); return 0 })
	w.container(t, "default/web")
	w.ResetCalls()
	var all strings.Builder
	for _, args := range badInput {
		code := w.silo(t, args...)
		fmt.Fprintf(&all, "$ silo %s\n%s%s[%d]\n\n", strings.Join(args, " "), &w.Stdout, &w.Stderr, code)
		if code != 1 && (code < 125 || code > 127) { // 1 is for some of several containers
			t.Errorf("silo %s: exit code %d, want 125 to 127, or 1", strings.Join(args, " "), code)
		}
	}
	if n := w.Calls("CreateJob") + w.Calls("CreateProcess"); n != 0 {
		t.Errorf("%d jobs and processes were made", n)
	}
	golden(t, "bad-input.golden", systemSays.ReplaceAllString(all.String(), "open (it): (what the system says)"))
}

func TestTables(t *testing.T) {
	w := newWorld(t)
	_, web := w.container(t, "default/web")
	w.container(t, "default/db")
	web.Busy(0.5, 0)
	web.Commit(100 << 20)
	web.PrivateWorkingSet(60 << 20)
	w.Advance(90e9)
	var all strings.Builder
	for _, args := range [][]string{
		{"ps"}, {"ps", "-o", "wide"}, {"top"}, {"top", "web", "-o", "wide"}, {"top", "--filter", "none"}, {"stats"}, {"stats", "-o", "wide", "db"},
		{"update", "--memory", "1g", "--cpus", "1.5", "web"}, {"update", "--cpus", "none", "web", "-o", "wide"}, {"stats", "web"},
		{"inspect", "web"}, {"ps", "-o", "json"}, {"top", "--live", "--count", "1", "--sort", "cpu"}, {"pause", "web"}, {"resume", "web"}, {"metrics", "--once"},
	} {
		if code := w.silo(t, args...); code != 0 {
			t.Errorf("silo %s: %d %s", strings.Join(args, " "), code, &w.Stderr)
		}
		text := w.Stdout.String()
		if args[0] == "metrics" {
			text = withoutBuild(text)
		}
		fmt.Fprintf(&all, "$ silo %s\n%s\n", strings.Join(args, " "), text)
	}
	golden(t, "tables.golden", all.String())
}

// TestCompletion: a shell is offered containers where a verb takes them, and nothing twice.
func TestCompletion(t *testing.T) {
	w := newWorld(t)
	w.container(t, "default/web")
	w.container(t, "default/db")
	if err := w.app.Node.Records.Write(record("over", "")); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"rm o": "over", "start silo/": "silo/over", "wait o": "over", "rename o": "over", "rename over o": "", "kill o": "",
		"stop ": "db default/db default/web web", "stop w": "web", "inspect web default/": "default/db default/web", "exec we": "web", "exec web d": "",
		"ps ": "",
	} {
		at := strings.LastIndex(args, " ")
		if code := w.silo(t, append(append([]string{"__complete"}, strings.Fields(args[:at])...), args[at+1:])...); code != 0 {
			t.Fatalf("%s: %d %s", args, code, &w.Stderr)
		}
		var got []string
		for _, line := range strings.Fields(w.Stdout.String()) {
			if !strings.HasPrefix(line, ":") { // what to do with them
				got = append(got, line)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", args, got, want)
		}
	}
}

// withoutBuild drops the line that differs with the toolchain.
func withoutBuild(text string) string {
	var kept strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "silo_build_info") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

func TestExplain(t *testing.T) {
	w := newWorld(t)
	var all strings.Builder
	for _, args := range [][]string{
		{"explain", "--memory", "512m", "--cpus", "1.5", "--affinity", "n1"},
		{"explain", "--cpu-mhz", "1024", "--processors", "80", "--mhz", "2000", "-o", "json"},
		{"explain", "testdata/job.json"},
		{"explain", "testdata/bare.json"},
		{"explain", "testdata/rootfs.json"},
		{"explain", "testdata/nspawn.json"},
		{"explain", "--id", "web", "testdata/server.json"},
		{"explain", "testdata/server-request.json"},
	} {
		if code := w.silo(t, args...); code != 0 {
			t.Errorf("silo %s: %d %s", strings.Join(args, " "), code, &w.Stderr)
		}
		fmt.Fprintf(&all, "$ silo %s\n%s\n", strings.Join(args, " "), &w.Stdout)
	}
	if strings.Contains(all.String(), "hush") {
		t.Error("the value of a variable is in the explanation")
	}
	for _, madeUp := range []string{`C:\cmd.exe` + "\n", `C:\\(`} {
		if strings.Contains(all.String(), madeUp) {
			t.Errorf("the explanation has the path %q, which the specification does not name", madeUp)
		}
	}
	if n := strings.Count(all.String(), "endpoints_of_own_namespace"); n != 2 {
		t.Errorf("%d containers are shown with their namespaces, want 2", n)
	}
	golden(t, "explain.golden", all.String())
}

func TestLogs(t *testing.T) {
	w := newWorld(t)
	path := filepath.Join(w.dir, "out.log")
	if err := os.WriteFile(path, []byte("one\ntwo\nthree\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := w.app.Node.Records.Write(record("mine", path)); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{"": "one\ntwo\nthree\n", "-n 2": "two\nthree\n", "-n 0": "", "-n 9": "one\ntwo\nthree\n", "-f": "one\ntwo\nthree\n"} {
		if code := w.silo(t, append([]string{"logs", "mine"}, strings.Fields(args)...)...); code != 0 || w.Stdout.String() != want {
			t.Errorf("logs %s: %d %q %s, want %q", args, code, &w.Stdout, &w.Stderr, want)
		}
	}
}
