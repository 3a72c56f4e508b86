package cli

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/test/workload"
)

func TestRun_ArgumentsOutputAndExitCode_ArriveUnchanged(t *testing.T) {
	s := newSilo(t)
	want := []string{"two words", `say "hi"`, "%PATH%", "", `tail\\"quote`, "Grüße 世界"}
	r := s.try(t, s.exe, nil, append([]string{"run", "--", workload.Payload, "args"}, want...)...)
	var got []string
	if err := json.Unmarshal([]byte(r.stdout), &got); err != nil {
		t.Fatal(err, r)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("arguments (-want +got):\n%s", diff)
	}
	if r := s.try(t, s.exe, nil, "run", "--", workload.Payload, "say", "7", "hello"); r.code != 7 || strings.TrimSpace(r.stdout) != "hello" {
		t.Errorf("%+v, want hello and exit code 7", r)
	}
	if r := s.try(t, s.exe, nil, "run", "--", `C:\no\such.exe`); r.code != 127 || !strings.Contains(r.stderr, "no such program") {
		t.Errorf("%+v, want 127", r)
	}
	if r := s.try(t, s.exe, nil, "run", "--timeout", "200ms", "--stop-grace", "200ms", "--", workload.Payload, "sleep", "600"); r.code != 124 {
		t.Errorf("%+v, want 124", r)
	}
}

func TestRun_Detached_ServesAllVerbs(t *testing.T) {
	s := newSilo(t)
	name := fmt.Sprintf("cli-life-%d", os.Getpid())
	s.detach(t, name, "tree", "2", "600")
	until(t, "the tree stands", func() bool { return strings.Contains(s.run(t, "logs", name), "\n0 ") })
	seen, ok := s.inspect(t, name)
	if !ok || seen.Statistics.Processes.Active < 3 || seen.Statistics.Memory.Commit == 0 || len(seen.Processes) < 3 {
		t.Errorf("inspect: %v %+v", ok, seen)
	}
	if out := s.run(t, "ps"); !strings.Contains(out, "silo/"+name) {
		t.Errorf("ps does not list it:\n%s", out)
	}
	if out := s.run(t, "top", name); strings.Count(out, "payload.exe") != 3 {
		t.Errorf("top, want three payloads:\n%s", out)
	}
	if out := s.run(t, "metrics", "--once"); !strings.Contains(out, `silo_container_processes{container="",container_id="`+name+`",kind="run",namespace="silo",pod=""}`) {
		t.Errorf("metrics do not have it:\n%s", out)
	}
	if r := s.try(t, s.exe, nil, "exec", name, "--", workload.Payload, "exit", "9"); r.code != 9 {
		t.Errorf("exec: %+v, want 9", r)
	}
	if out := s.run(t, "update", "--memory", "256m", name); !strings.Contains(out, "256 MiB") {
		t.Errorf("update:\n%s", out)
	}
	s.run(t, "stop", name)
	if now, there := s.inspect(t, name); !there || now.Record.Exit == nil || now.Record.Exit.Reason == "exited" {
		t.Errorf("inspect after silo stop: %v %+v", there, now.Record)
	}
	if out := strings.TrimSpace(s.run(t, "wait", name)); out == "" || out == "-" {
		t.Errorf("wait printed %q, want an exit code", out)
	}
	if out := s.run(t, "cleanup", "--yes"); !strings.Contains(out, name) {
		t.Errorf("cleanup does not find the record:\n%s", out)
	}
}

func TestRun_RestartOnFailure_StartsAgain(t *testing.T) {
	s := newSilo(t)
	r := s.try(t, s.exe, nil, "run", "--restart", "on-failure:2", "--", workload.Payload, "say", "3", "again")
	if r.code != 3 || strings.Count(r.stdout, "again") != 3 {
		t.Errorf("%+v, want three starts and exit code 3", r)
	}
}

// kills is how many supervisors TestRun_SupervisorKilled_ProcessTreeEnds kills; 500 is what the project promises.
var kills = flag.Int("kills", 3, "supervisors to kill by their pid")

func TestRun_SupervisorKilled_ProcessTreeEnds(t *testing.T) {
	s := newSilo(t)
	var slowest time.Duration
	for i := range *kills {
		name := fmt.Sprintf("cli-death-%d-%d", os.Getpid(), i)
		s.detach(t, name, "tree", "2", "600")
		var seen inspected
		until(t, "the tree stands", func() bool {
			seen, _ = s.inspect(t, name)
			return seen.Statistics.Processes.Active >= 3
		})
		if r := s.try(t, workload.Payload, nil, "kill", fmt.Sprint(seen.Record.Supervisor)); r.code != 0 {
			t.Fatalf("kill the supervisor: %+v", r)
		}
		killed := time.Now()
		until(t, "every process of the tree is gone", func() bool {
			now, there := s.inspect(t, name)
			return !there || now.Statistics.Processes.Active == 0
		})
		slowest = max(slowest, time.Since(killed))
	}
	t.Logf("%d of %d process trees have ended, the slowest after %v, including the time of a query", *kills, *kills, slowest)
}

func TestRun_Restricted_TokenIsRestricted(t *testing.T) {
	s := newSilo(t)
	type facts struct {
		Privileges []string
		DenyOnly   []string `json:"deny_only"`
	}
	read := func(args ...string) (f facts) {
		t.Helper()
		if err := json.Unmarshal([]byte(s.run(t, args...)), &f); err != nil {
			t.Fatal(err)
		}
		return f
	}
	own := read("token")
	if len(own.Privileges) < 2 || slices.Contains(own.DenyOnly, "S-1-5-32-544") {
		t.Skip("this token has no privileges to remove")
	}
	got := read("run", "--restricted", "--", s.wine.WindowsPath(s.exe), "token")
	if !slices.Equal(got.Privileges, []string{"SeChangeNotifyPrivilege"}) || !slices.Contains(got.DenyOnly, "S-1-5-32-544") {
		t.Errorf("the program's token: %+v", got)
	}
	got = read("run", "--drop-privilege", "SeDebugPrivilege", "--", s.wine.WindowsPath(s.exe), "token")
	if slices.Contains(got.Privileges, "SeDebugPrivilege") || len(got.Privileges) != len(own.Privileges)-1 {
		t.Errorf("the program's privileges: %v", got.Privileges)
	}
}

// The program runs as the account of its configuration, or the run is refused.
func TestRun_ServiceAccount_IsUsedOrRefused(t *testing.T) {
	s := newSilo(t)
	for account, sid := range map[string]string{"Local Service": "S-1-5-19", "Network Service": "S-1-5-20"} {
		r := s.try(t, s.exe, nil, "run", "--user", `NT AUTHORITY\`+account, "--", s.wine.WindowsPath(s.exe), "token")
		refused := r.code == 125 && r.stdout == "" && strings.Contains(r.stderr, "log on as NT AUTHORITY")
		if !refused && !strings.Contains(r.stdout, `"user": "`+sid+`"`) {
			t.Errorf("%s: %+v", account, r)
		}
	}
}

// TestAttach_ImageName_ProcessRunsUnderLimits: the processes go on when silo has left, and a wrong pid changes nothing.
func TestAttach_ImageName_ProcessRunsUnderLimits(t *testing.T) {
	s := newSilo(t)
	image := fmt.Sprintf("attach%d.exe", os.Getpid())
	program := filepath.Join(t.TempDir(), image)
	text, err := os.ReadFile(s.exe) // Wine may name a linked image by its first name
	if err == nil {
		err = os.WriteFile(program, text, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd := s.command(t, program, nil, "events")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := false
	defer func() {
		if !ended {
			_ = cmd.Process.Kill()
			_ = cmd.Wait() // it was killed
		}
	}()
	name := fmt.Sprintf("cli-attach-%d", os.Getpid())
	until(t, "the image is in the list of processes", func() bool {
		r := s.try(t, s.exe, nil, "attach", image, "999999")
		return strings.Contains(r.stderr, "attach process 999999: no such process")
	})
	attach := s.command(t, s.exe, nil, "attach", "--name", name, "--memory", "1g", "--kill-on-exit", strings.ToUpper(image))
	if err := attach.Start(); err != nil {
		t.Fatal(err)
	}
	until(t, "the container runs", func() bool {
		c, ok := s.inspect(t, name)
		return ok && c.Statistics.Processes.Active == 1 && c.Record.Pid != 0
	})
	if err := attach.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = attach.Wait() // it was killed
	_ = cmd.Wait()    // it ends with silo
	ended = true
}

// TestRun_BatchFile_GetsArgumentsAndRunsNothingElse has Wine's cmd.exe, which reads most command lines as that of Windows.
func TestRun_BatchFile_GetsArgumentsAndRunsNothingElse(t *testing.T) {
	s := newSilo(t)
	dir := filepath.Join(t.TempDir(), "two words")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "app & x.cmd")
	text := "@echo off\r\necho [%~1]\r\n" + workload.Payload + " args %*\r\nexit /b 7\r\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	want := []string{"install", "a&echo attacked", "|more", "C:\\my dir\\", "", "a^b", "Grüße"}
	r := s.try(t, s.exe, nil, append([]string{"run", "--", s.wine.WindowsPath(file)}, want...)...)
	first, rest, _ := strings.Cut(strings.ReplaceAll(r.stdout, "\r", ""), "\n")
	var got []string
	if err := json.Unmarshal([]byte(rest), &got); err != nil || first != "[install]" || r.code != 7 {
		t.Fatalf("%v: %+v", err, r)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("arguments (-want +got):\n%s", diff)
	}
	if r := s.try(t, s.exe, nil, "run", "--", s.wine.WindowsPath(file), `" & echo attacked`); r.code != 125 || !strings.Contains(r.stderr, `argument [1]: cmd.exe`) {
		t.Errorf("%+v, want a refusal", r)
	}
}
