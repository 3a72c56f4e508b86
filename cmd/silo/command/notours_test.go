package command_test

import (
	"fmt"
	"strings"
	"testing"
)

// Verbs of docker that silo does not have are answered on one line, whatever flags follow, and nothing starts.
func TestMain_VerbOfDocker_IsAnswered(t *testing.T) {
	w := newWorld(t)
	var all strings.Builder
	for _, line := range []string{
		"images", "pull mcr.microsoft.com/windows/nanoserver", "build -t web .", "image ls", "create --name web app.exe", "login -u me", "volume ls",
		"network create -d nat", "compose up -d", "info", "diff web", "commit web mine", "cp web:/a b", "port web", "container ls -a",
		"container stop -t 5 web", "container frob", "container", "system prune -f", "system df", "-o json images", "--output=json system info",
		"rnu -d app.exe", "frobnicate --hard",
	} {
		code := w.silo(t, strings.Fields(line)...)
		fmt.Fprintf(&all, "$ silo %s\n%s\n", line, &w.Stderr)
		if text := w.Stderr.String(); code != 125 || w.Stdout.Len() != 0 || strings.Count(text, "\n") != 1 || !strings.HasPrefix(text, "silo: there is no verb ") {
			t.Errorf("silo %s: exit code %d, %q %q; want 125 and one line", line, code, &w.Stdout, text)
		}
	}
	golden(t, "docker.golden", all.String())
}

func TestMain_VersionFlags_PrintTheVersion(t *testing.T) {
	w := newWorld(t)
	if code := w.silo(t, "version"); code != 0 {
		t.Fatal(code)
	}
	want := w.Stdout.String()
	for _, flag := range []string{"-v", "--version"} {
		if code := w.silo(t, flag); code != 0 || w.Stdout.String() != want || !strings.HasPrefix(want, "silo ") {
			t.Errorf("%s: %d %q, want %q", flag, code, &w.Stdout, want)
		}
	}
}

// Each verb stands in one group of silo help.
func TestHelp_EachVerb_IsInAGroup(t *testing.T) {
	w := newWorld(t)
	if code := w.silo(t, "help"); code != 0 {
		t.Fatal(code)
	}
	text := w.Stdout.String()
	if strings.Contains(text, "Available Commands") || strings.Contains(text, "Additional Commands") || !strings.Contains(text, "\nWatch:\n") {
		t.Errorf("a verb has no group:\n%s", text)
	}
	for _, verb := range append([]string{"help", "completion"}, verbs...) {
		if n := strings.Count(text, "\n  "+verb+" "); n != 1 {
			t.Errorf("%s stands %d times in silo help", verb, n)
		}
	}
}
