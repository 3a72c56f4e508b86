package cli

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
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

// net runs Wine's net.exe.
func (s *silo) net(t *testing.T, args ...string) {
	t.Helper()
	out := scratch(t)
	cmd := s.wine.Command(t.Context(), `C:\windows\system32\net.exe`, args...)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		t.Fatalf("net %s: %v\n%s", strings.Join(args, " "), err, content(t, out))
	}
}

func TestMetrics_WindowsService_StartsAndStops(t *testing.T) {
	s := newSilo(t)
	name, address := fmt.Sprintf("silo-test-%d", os.Getpid()), freePort(t)
	s.run(t, "service", "install", name, "--", "metrics", "--listen", address)
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
		line := fmt.Sprintf("silo_container_processes{container_id=%q,kind=\"run\",namespace=\"silo\"} %d\n", name, seen.Statistics.Processes.Active)
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
