package command_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// TestVerbs_SecretsOfARun_AreInLaunchFileAlone puts secrets into the arguments and the environment of a container and looks
// for them in what each verb prints and in what silo stores. launch.json has them for silo start: on Windows encrypted for
// the user, in a file for the user.
func TestVerbs_SecretsOfARun_AreInLaunchFileAlone(t *testing.T) {
	w := newWorld(t)
	c := &canaries{from: map[string]string{}}
	ids = append(ids, "silo/web")
	defer func() { ids = ids[:len(ids)-1] }()
	w.Program("app.exe", func(p *jobtest.Proc) uint32 { <-p.Done(); return 1 })
	file := w.file(t, "env", "FROM_FILE="+c.put("--env-file")+"\n")
	w.app.Env = append(w.app.Env, "INHERITED="+c.put("environment of silo"))
	args := []string{"run", "--name", "web", "--env-file", file}
	for range 100 {
		args = append(args, "-e", "TOKEN="+c.put("-e"))
	}
	args = append(args, "--", "app.exe")
	for range 100 {
		args = append(args, "--password", c.put("argument"), "--x="+c.put("argument"))
	}
	code, stderr := w.background(t, args...)
	w.await(t, "web", func(r *node.Record) bool { return r.Pid != 0 })
	sinks := map[string]string{}
	look := func(verbs ...[]string) {
		for _, verb := range verbs {
			w.silo(t, verb...)
			sinks["silo "+strings.Join(verb, " ")] += w.Stdout.String() + w.Stderr.String()
		}
	}
	everything := [][]string{
		{"ps", "-a", "-o", "json"}, {"ps", "-a", "-o", "wide"}, {"top", "-o", "json"}, {"stats", "-o", "json", "--no-stream"},
		{"inspect", "web"}, {"inspect", "silo/web"}, {"events", "--count", "2", "--interval", "1ms"}, {"update", "--memory", "1g", "web"},
		{"doctor", "-o", "json"}, {"cleanup"}, {"logs", "web"}, {"doctor", "--bundle", filepath.Join(w.dir, "running.zip")},
	}
	look(everything...)
	look([]string{"kill", "web"})
	<-code
	sinks["silo run"] = stderr.String()
	look(everything[:len(everything)-1]...)
	look([]string{"wait", "web"}, []string{"doctor", "--bundle", filepath.Join(w.dir, "ended.zip")})
	for _, bundle := range []string{"running.zip", "ended.zip"} {
		for name, text := range entries(t, filepath.Join(w.dir, bundle)) {
			sinks["bundle"] += name + "\n" + text
		}
	}
	dir := w.app.Node.Records.Path("web")
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		sinks["file "+f.Name()] = string(text)
	}
	l, err := w.app.Node.Records.ReadLaunch("web")
	if err != nil || !strings.Contains(fmt.Sprint(l.Args, l.Env), "canary") {
		t.Errorf("launch.json has no arguments: %v", errors.Join(err))
	}
	for sink, text := range sinks {
		found := 0
		for secret, place := range c.from {
			if strings.Contains(text, secret) {
				found++
				t.Errorf("%s has the secret in %s", sink, place)
			}
		}
		t.Logf("%-40s %7d bytes, %d of %d canaries", sink, len(text), found, c.n)
	}
	if sinks["file container.json"] == "" || !strings.Contains(sinks["silo inspect web"], `"id": "web"`) || sinks["bundle"] == "" {
		t.Error("a sink is empty")
	}
}
