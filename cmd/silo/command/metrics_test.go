package command_test

import (
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
