package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/test/workload"
)

// status is the state of a container of silo run and the pid of its program.
func (s *silo) status(t *testing.T, name string) string {
	t.Helper()
	return strings.TrimSpace(s.run(t, "inspect", "-f", "{{.status}} {{.record.pid}}", name))
}

func TestStart_EndedContainer_RunsWithFlagsAndEnvironment(t *testing.T) {
	s := newSilo(t)
	name := fmt.Sprintf("Cli-Again-%d", os.Getpid())
	lower := strings.ToLower(name)
	secret := []string{"HUSH=do not tell"}
	r := s.try(t, s.exe, secret, "run", "--detach", "--name", name, "-e", "FLAG=given", "--", workload.Payload, "env")
	if r.code != 0 {
		t.Fatalf("%+v", r)
	}
	s.run(t, "wait", name)
	if text, err := os.ReadFile(filepath.Join(s.state, lower, "launch.json")); err != nil || !strings.Contains(string(text), `"dpapi-user"`) {
		t.Errorf("%v, the command line is not encrypted:\n%s", err, text)
	}
	if out := s.run(t, "start", lower); strings.TrimSpace(out) != "silo/"+name {
		t.Errorf("start printed %q", out)
	}
	if out := s.run(t, "wait", name); strings.TrimSpace(out) != "0" {
		t.Errorf("wait printed %q", out)
	}
	logs := json.NewDecoder(strings.NewReader(s.run(t, "logs", name)))
	for n := range 2 {
		var env map[string]string
		if err := logs.Decode(&env); err != nil {
			t.Fatalf("output of run %d: %v", n+1, err)
		}
		if env["HUSH"] != "do not tell" || env["FLAG"] != "given" {
			t.Errorf("environment of run %d: %v", n+1, env)
		}
	}
	if r := s.try(t, s.exe, nil, "rename", strings.ToUpper(name), name+"-b"); r.code != 0 {
		t.Fatalf("rename: %+v", r)
	}
	s.run(t, "start", name+"-b")
	s.run(t, "wait", name+"-b")
	if out := s.run(t, "ps", "-aq"); strings.TrimSpace(out) != "silo/"+name+"-b" {
		t.Errorf("after the new name ps lists\n%s", out)
	}
	if out := s.run(t, "rm", name+"-b"); strings.TrimSpace(out) != "silo/"+name+"-b" {
		t.Errorf("rm printed %q", out)
	}
	if left, err := os.ReadDir(s.state); err != nil || len(left) != 0 {
		t.Errorf("%v, left after rm: %v", err, left)
	}
}

func TestRestart_RunningContainer_HasNewProgram(t *testing.T) {
	s := newSilo(t)
	name := fmt.Sprintf("cli-restart-%d", os.Getpid())
	s.detach(t, name, "sleep", "600")
	before := s.status(t, name)
	if r := s.try(t, s.exe, nil, "rm", name); r.code != 1 || !strings.Contains(r.stderr, "rm -f") {
		t.Errorf("rm of a running one: %+v", r)
	}
	if r := s.try(t, s.exe, nil, "rename", name, "other"); r.code != 125 || !strings.Contains(r.stderr, "stop it first") {
		t.Errorf("rename of a running one: %+v", r)
	}
	s.run(t, "restart", strings.ToUpper(name))
	if after := s.status(t, name); !strings.HasPrefix(after, "running ") || after == before {
		t.Errorf("it was %q and is %q, want another program", before, after)
	}
	if r := s.try(t, s.exe, nil, "run", "--detach", "--name", strings.ToUpper(name), "--", workload.Payload, "sleep", "600"); r.code != 125 {
		t.Errorf("another one of that name: %+v", r)
	}
	if out := s.run(t, "rm", "-f", name); strings.TrimSpace(out) != "silo/"+name {
		t.Errorf("rm -f printed %q", out)
	}
	if out := s.run(t, "ps", "-aq"); out != "" {
		t.Errorf("after rm -f ps lists\n%s", out)
	}
}

func TestPs_SupervisorKilled_IsLostAndStartable(t *testing.T) {
	s := newSilo(t)
	name := fmt.Sprintf("cli-lost-%d", os.Getpid())
	s.detach(t, name, "sleep", "600")
	seen, _ := s.inspect(t, name)
	if r := s.try(t, workload.Payload, nil, "kill", fmt.Sprint(seen.Record.Supervisor)); r.code != 0 {
		t.Fatalf("kill the supervisor: %+v", r)
	}
	until(t, "it is lost", func() bool { return strings.TrimSpace(s.run(t, "ps", "-q", "--filter", "status=lost")) == "silo/"+name })
	if r := s.try(t, s.exe, nil, "wait", name); r.code != 1 || !strings.Contains(r.stderr, "silo start") {
		t.Errorf("wait: %+v", r)
	}
	s.run(t, "start", name)
	if is := s.status(t, name); !strings.HasPrefix(is, "running ") {
		t.Errorf("after start it is %q", is)
	}
	s.run(t, "rm", "-f", name)
}
