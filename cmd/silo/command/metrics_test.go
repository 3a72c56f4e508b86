package command_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/cmd/silo/command"
)

// The patterns of http.ServeMux panic for some of these, and give others a meaning.
func TestMetrics_BadPath_Refused(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"", "metrics", "/a b", "/{", "/{}", "/{a}", "/{a...}/b", "/{$}", "//a", "/a/", "/a?b", "/a#b", "/%41", "/\ta", "GET /a", "/ä"} {
		code := w.silo(t, "metrics", "--once", "--path", path)
		if text := w.Stderr.String(); code != 125 || !strings.Contains(text, "--path") || !strings.Contains(text, "such as /metrics") {
			t.Errorf("%q: exit %d %s, want a refusal with the remedy", path, code, text)
		}
	}
	for _, path := range []string{"/", "/metrics", "/a/b-c_d.e~f"} {
		if code := w.silo(t, "metrics", "--once", "--path", path); code != 0 {
			t.Errorf("%q: exit %d %s", path, code, &w.Stderr)
		}
	}
}

// TestServePath_OtherHost_Refused: a page whose name was made to point to the loopback address reads nothing. Where other machines may
// connect, any name may be used.
func TestServePath_OtherHost_Refused(t *testing.T) {
	handler := command.ServePath("/metrics", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for _, c := range []struct {
		local, host string
		want        int
	}{
		{"127.0.0.1", "127.0.0.1:9765", http.StatusOK},
		{"127.0.0.1", "localhost:9765", http.StatusOK},
		{"::1", "[::1]:9765", http.StatusOK},
		{"127.0.0.1", "attacker.example", http.StatusMisdirectedRequest},
		{"127.0.0.1", "", http.StatusMisdirectedRequest},
		{"10.0.0.4", "node1.example.com:9765", http.StatusOK},
	} {
		r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		r.Host = c.host
		local := &net.TCPAddr{IP: net.ParseIP(c.local), Port: 9765}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, local)))
		if w.Code != c.want {
			t.Errorf("%s as %q: %d, want %d", c.local, c.host, w.Code, c.want)
		}
	}
}

// exports reports whether metrics have a series of a container, with this value; any value if that is empty.
func exports(metrics, name, id, value string) bool {
	for line := range strings.Lines(metrics) {
		if strings.HasPrefix(line, name+"{") && strings.Contains(line, `container_id="`+id+`"`) && strings.HasSuffix(line, value+"\n") {
			return true
		}
	}
	return false
}

// A container that silo supervise exports is in its exporter alone, until the supervisor has ended.
func TestMetrics_SupervisorExports_ContainerIsLeftOut(t *testing.T) {
	s := newStated(t)
	for _, id := range []string{"runs", "lost"} {
		r, err := s.app.Node.Records.Read(id)
		if err == nil {
			r.Metrics = "http://127.0.0.1:9100/metrics"
			err = s.app.Node.Records.Write(r)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args    []string
		runs    bool
		numbers string
	}{
		{nil, false, "\nsilo_containers 3\n#\nsilo_containers_elsewhere 1\n"},
		{[]string{"--all"}, true, "\nsilo_containers 4\n#\nsilo_containers_elsewhere 0\n"},
	} {
		if code := s.silo(t, append([]string{"metrics", "--once"}, c.args...)...); code != 0 {
			t.Fatal(code, &s.Stderr)
		}
		text := s.Stdout.String()
		for _, name := range []string{"silo_container_processes", "silo_container_status"} {
			if got := exports(text, name, "runs", ""); got != c.runs {
				t.Errorf("%v: %s of the container with an exporter: %v, want %v", c.args, name, got, c.runs)
			}
		}
		if !exports(text, "silo_container_restarts_total", "crashes", " 4") || !exports(text, "silo_container_status", "lost", " 1") {
			t.Errorf("%v: other containers are missing:\n%s", c.args, text)
		}
		for number := range strings.SplitSeq(c.numbers, "#") {
			if !strings.Contains(text, number) {
				t.Errorf("%v: no %q in\n%s", c.args, number, text)
			}
		}
	}
}

// A container that cannot be sampled is counted and has its state. What would be a counter that begins at 0 is not exported.
func TestMetrics_StatsFail_StateIsExportedAndErrorReported(t *testing.T) {
	s := newStated(t)
	s.Fail("OpenJob", -1, errors.New("the kernel refuses"))
	if code := s.silo(t, "metrics", "--once"); code != 0 {
		t.Fatal(code, &s.Stderr)
	}
	text := s.Stdout.String()
	for _, want := range []string{"\nsilo_containers 4\n", "\nsilo_scrape_errors_total 1\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if !exports(text, "silo_container_status", "runs", " 1") || exports(text, "silo_container_fallbacks_total", "runs", "") {
		t.Errorf("want the state of a container that was not sampled, and no statistics:\n%s", text)
	}
	if warning := s.Stderr.String(); !strings.Contains(warning, "silo/runs") || !strings.Contains(warning, "the kernel refuses") {
		t.Errorf("warning %q, want the container and the cause", warning)
	}
}

func TestServePath_Request_OnlyThatPathIsServed(t *testing.T) {
	h := command.ServePath("/{x}", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	for request, want := range map[string]int{
		"GET /{x}": 204, "HEAD /{x}": 204, "GET /%7Bx%7D": 204, "GET /{x}?a=b": 204, "POST /{x}": 405, "GET /": 404, "GET /{x}/y": 404, "GET /y": 404,
	} {
		method, path, _ := strings.Cut(request, " ")
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, httptest.NewRequest(method, path, nil))
		if answer.Code != want {
			t.Errorf("%s: %d, want %d", request, answer.Code, want)
		}
	}
}
