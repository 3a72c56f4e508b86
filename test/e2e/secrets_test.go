package e2e

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/test/workload"
)

// TestSecrets_RealContainerd_LogsAndFilesHaveNone looks for the environment, the arguments and the annotations of a container
// in the logs, which have a dump of the shim's stacks, and in all files of the state directory but the specification.
func TestSecrets_RealContainerd_LogsAndFilesHaveNone(t *testing.T) {
	d := newDaemon(t)
	var secrets []string
	put := func() string {
		secrets = append(secrets, fmt.Sprintf("canary%05dq", len(secrets)))
		return secrets[len(secrets)-1]
	}
	s := workload.Spec("sleep", "600")
	for i := range 100 {
		s.Process.Env = append(s.Process.Env, fmt.Sprintf("TOKEN%d=%s", i, put()), fmt.Sprintf("HARMLESS%d=%s", i, put()))
		s.Annotations[fmt.Sprintf("example.com/note-%d", i)] = put()
	}
	id := d.detach(t, s)
	exec := []string{"task", "exec", "--exec-id", "x", id, workload.Payload, "args"}
	for range 100 {
		exec = append(exec, "--password="+put())
	}
	d.ctr(t, exec...)
	if r := d.try(t, "task", "exec", "--exec-id", "y", id, `C:\missing.exe`, put()); r.code == 0 {
		t.Error("a program that is missing was started")
	}
	d.ctr(t, "task", "metrics", id)
	if out, err := d.wine.Command(t.Context(), workload.Payload, "stacks").CombinedOutput(); err != nil {
		t.Fatalf("request a dump of the stacks: %v\n%s", err, out)
	}
	until(t, "the log has the stacks of the shim", func() bool {
		text, err := os.ReadFile(d.LogPath())
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(string(text), "shim/bootstrap.dumpStacks") && strings.Contains(string(text), "end of goroutine stack dump")
	})
	sinks := map[string]string{}
	add := func(sink, path string) error {
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			err = nil // such as the draft of a record
		}
		sinks[sink] += path + "\n" + string(text)
		return err
	}
	err := filepath.WalkDir(d.StateDir(), func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() || e.Name() == "config.json" {
			return err
		}
		return add("files of the state", path)
	})
	if err != nil {
		t.Fatal(err)
	}
	d.remove(t, id)
	d.nothingLeft(t)
	if err := add("log", d.LogPath()); err != nil {
		t.Fatal(err)
	}
	for sink, text := range sinks {
		found := 0
		for _, secret := range secrets {
			if at := strings.Index(text, secret); at >= 0 {
				found++
				t.Errorf("%s: ...%q", sink, text[max(0, at-200):at+len(secret)])
			}
		}
		t.Logf("%-20s %8d bytes, %d of %d canaries", sink, len(text), found, len(secrets))
	}
	if !strings.Contains(sinks["log"], id) || sinks["files of the state"] == "" {
		t.Error("a sink is empty")
	}
}
