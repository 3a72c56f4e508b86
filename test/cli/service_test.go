package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/siloshim/siloshim/test/workload"
)

// freePort is an address that was free a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return l.Addr().String()
}

// scrape queries until an answer contains want.
func scrape(t *testing.T, address, want string) string {
	t.Helper()
	var body string
	until(t, address+" has "+want, func() bool {
		answer, err := http.Get("http://" + address + "/metrics")
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		body = string(text)
		return err == nil && strings.Contains(body, want)
	})
	return body
}

// netProgram starts and stops services.
const netProgram = `C:\windows\system32\net.exe`

func (s *silo) net(t *testing.T, args ...string) {
	t.Helper()
	out := scratch(t)
	cmd := s.wine.Command(t.Context(), netProgram, args...)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		t.Fatalf("net %s: %v\n%s", strings.Join(args, " "), err, content(t, out))
	}
}

func TestMetrics_WindowsService_StartsAndStops(t *testing.T) {
	s := newSilo(t)
	name, address := fmt.Sprintf("silo-test-%d", os.Getpid()), freePort(t)
	s.run(t, "service", "install", "--log", s.wine.WindowsPath(s.state)+`\service.log`, name, "--", "metrics", "--listen", address)
	removed := false
	defer func() {
		if !removed {
			s.try(t, s.exe, nil, "service", "remove", name)
		}
	}()
	s.net(t, "start", name)
	scrape(t, address, "silo_build_info{")
	s.net(t, "stop", name)
	if _, err := http.Get("http://" + address + "/metrics"); err == nil {
		t.Error("it answers after the stop")
	}
	s.run(t, "service", "remove", name)
	removed = true
	if r := s.try(t, s.exe, nil, "service", "run", name, "--", "metrics"); r.code != 125 || !strings.Contains(r.stderr, "not started by the service manager") {
		t.Errorf("run by a user: %+v, want 125", r)
	}
}

// service installs a service for the time of the test and returns its log.
func (s *silo) service(t *testing.T, name string, flags, command []string) (log string) {
	t.Helper()
	log = filepath.Join(t.TempDir(), "service.log")
	args := append([]string{"service", "install", "--log", s.wine.WindowsPath(log)}, flags...)
	s.run(t, append(append(args, name, "--"), command...)...)
	t.Cleanup(func() { // t.Context() is done by now
		for _, args := range [][]string{{netProgram, "stop", name}, {s.exe, "service", "uninstall", name}} {
			_ = s.wine.Command(context.Background(), args[0], args[1:]...).Run() // it may be stopped
		}
	})
	return log
}

func TestService_Run_ProgramEndsWithService(t *testing.T) {
	s := newSilo(t)
	name := fmt.Sprintf("silo-run-%d", os.Getpid())
	log := s.service(t, name, nil, []string{"run", "--stop-grace", "1s", "--", workload.Payload, "sleep", "600"})
	s.net(t, "start", name)
	container := "silo/" + name // its record is where the service has its state
	until(t, "the container runs", func() bool { return strings.Contains(s.run(t, "ps"), container) })
	if out := s.run(t, "service", "list"); !strings.Contains(out, name) || !strings.Contains(out, "running") {
		t.Errorf("list:\n%s", out)
	}
	s.net(t, "stop", name)
	until(t, "the container has ended with its service", func() bool { return !strings.Contains(s.run(t, "ps"), container) })
	if text, err := os.ReadFile(log); err != nil || !strings.Contains(string(text), "silo: service "+name+" starts at ") {
		t.Errorf("log %q, %v", text, err)
	}
}

// The program was there at the installation, and is not at the start: sc query has the exit code, the log the reason.
func TestService_ProgramIsGone_StartFailsWithReason(t *testing.T) {
	s := newSilo(t)
	name := fmt.Sprintf("silo-gone-%d", os.Getpid())
	program := filepath.Join(t.TempDir(), "tool.exe")
	if err := os.Link(s.exe, program); err != nil {
		t.Fatal(err)
	}
	log := s.service(t, name, nil, []string{"run", "--", s.wine.WindowsPath(program)})
	if err := os.Remove(program); err != nil {
		t.Fatal(err)
	}
	cmd := s.wine.Command(t.Context(), netProgram, "start", name)
	_ = cmd.Run() // Wine does not wait for what comes of a start
	var status []struct {
		State string
		Code  uint32 `json:"exit_code"`
	}
	until(t, "the service has stopped", func() bool {
		text := s.run(t, "service", "status", name, "-o", "json")
		if err := json.Unmarshal([]byte(text), &status); err != nil || len(status) != 1 {
			t.Fatalf("%v\n%s", err, text)
		}
		return status[0].State == "stopped"
	})
	if status[0].Code != 127 {
		t.Errorf("exit code %d, want 127", status[0].Code)
	}
	if text, err := os.ReadFile(log); err != nil || !strings.Contains(string(text), "tool.exe: no such program") {
		t.Errorf("log %q, %v", text, err)
	}
}

func TestMetrics_TenContainers_AllExported(t *testing.T) {
	s := newSilo(t)
	var names []string
	for i := range 10 {
		name := fmt.Sprintf("cli-ten-%d-%d", os.Getpid(), i)
		s.detach(t, name, "sleep", "600")
		names = append(names, name)
	}
	body := scrape(t, s.exporter(t), names[9])
	for _, name := range names {
		seen, ok := s.inspect(t, name)
		if !ok {
			t.Fatalf("%s is missing", name)
		}
		line := fmt.Sprintf(`silo_container_processes{container="",container_id=%q,kind="run",namespace="silo",pod=""} %d`+"\n", name, seen.Statistics.Processes.Active)
		if !strings.Contains(body, line) {
			t.Errorf("no line %s in\n%s", line, body)
		}
	}
	wellFormed(t, body)
}

// exporter runs silo metrics for the time of the test and returns its address.
func (s *silo) exporter(t *testing.T) string {
	t.Helper()
	address := freePort(t)
	cmd := s.command(t, s.exe, nil, "metrics", "--listen", address)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	})
	return address
}

// wellFormed checks a page with Prometheus' parser and linter.
func wellFormed(t *testing.T, page string) {
	t.Helper()
	problems, err := promlint.New(strings.NewReader(page)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}
