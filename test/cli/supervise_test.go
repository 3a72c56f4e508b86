package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/test/workload"
)

func TestSupervise_AsDamonExe_BehavesAsDamon(t *testing.T) {
	s := newSilo(t)
	dir := t.TempDir()
	env := []string{
		"DAMON_LOG_DIR=" + s.wine.WindowsPath(dir), "NOMAD_TASK_NAME=web", "NOMAD_ALLOC_ID=a1b2", "NOMAD_DC=dc1",
		"NOMAD_CPU_LIMIT=1000", "NOMAD_MEMORY_LIMIT=256", "CUSTOM=kept",
	}
	r := s.try(t, s.damon, env, workload.Payload, "env")
	var seen map[string]string
	if err := json.Unmarshal([]byte(r.stdout), &seen); err != nil {
		t.Fatal(err, r)
	}
	if seen["CUSTOM"] != "kept" || seen["NOMAD_TASK_NAME"] != "web" {
		t.Errorf("the program's environment does not have the added variables: %v", seen)
	}
	text, err := os.ReadFile(filepath.Join(dir, "web.damon.log"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"message":"damon starting"`, `"nomad_dc":"dc1"`, `"message":"process exited: 0"`, `"exit_status":0`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in the log:\n%s", want, text)
		}
	}
	if r := s.try(t, s.damon, env, workload.Payload, "exit", "9"); r.code != 9 {
		t.Errorf("%+v, want the program's exit code 9", r)
	}
	if r := s.try(t, s.damon, append(env, "DAMON_CPU_LIMIT=much"), workload.Payload, "print", "started"); r.code != 1 || r.stdout != "" {
		t.Errorf("%+v, want exit code 1 and nothing started", r)
	}
	if r := s.try(t, s.damon, env, `C:\no\such.exe`); r.code != 1 {
		t.Errorf("%+v, want exit code 1", r)
	}
	if r := s.try(t, s.damon, env); r.code != 0 || !strings.HasPrefix(r.stdout, "silo ") {
		t.Errorf("%+v, want the version", r)
	}
}

func TestSupervise_DamonAddress_ServesMetrics(t *testing.T) {
	s := newSilo(t)
	address := freePort(t)
	cmd := s.command(t, s.exe, []string{"DAMON_ADDR=" + address, "DAMON_LOG_DIR=" + s.wine.WindowsPath(t.TempDir()), "NOMAD_DC=dc1", "DAMON_MEMORY_LIMIT=256"},
		"supervise", workload.Payload, "cat")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	body := scrape(t, address, "damon_memory_working_set_bytes")
	for _, want := range []string{`damon_memory_limit_bytes{nomad_dc="dc1"} 2.68435456e+08`, "silo_container_memory_usage_commit_bytes{", "silo_container_output_lost_bytes_total{", "silo_build_info{"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in\n%s", want, body)
		}
	}
	if err := stdin.Close(); err != nil { // ends the program, and silo with it
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
