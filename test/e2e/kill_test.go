package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/test/workload"
)

// events collects the topics of one container until its delete was seen. It returns once containerd sends to it.
func (d *daemon) events(t *testing.T) (seen func(id string) []string) {
	t.Helper()
	cmd := d.Ctr(t.Context(), "events")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		err := cmd.Wait()
		if t.Failed() {
			t.Logf("ctr events ended with %v: %s", err, stderr.String())
		}
	})
	lines := make(chan string, 1024)
	go func() { // ends with the command
		defer close(lines)
		for scanner := bufio.NewScanner(out); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	until(t, "containerd sends events", func() bool {
		d.ctr(t, "namespace", "label", "default", "probe="+newID())
		select {
		case <-lines:
			return true
		default:
			return false
		}
	})
	return func(id string) []string {
		var topics []string
		for line := range lines {
			topic, body, found := cutTopic(line)
			if !found || body["container_id"] != id {
				continue
			}
			topics = append(topics, topic)
			if topic == "/tasks/delete" {
				return topics
			}
		}
		t.Fatalf("events of %s ended early: %v", id, topics)
		return nil
	}
}

// cutTopic takes a line of `ctr events` apart: time, namespace, topic, JSON.
func cutTopic(line string) (topic string, body map[string]any, ok bool) {
	_, rest, found := strings.Cut(line, " /tasks/")
	if !found {
		return "", nil, false
	}
	topic, text, _ := strings.Cut(rest, " ")
	if err := json.Unmarshal([]byte(text), &body); err != nil {
		return "", nil, false
	}
	return "/tasks/" + topic, body, true
}

func TestKillEndsTheWholeTree(t *testing.T) {
	d := newDaemon(t)
	seen := d.events(t)
	id := d.detach(t, workload.Spec("tree", "2", "600"))
	until(t, "the tree has three levels", func() bool {
		return strings.Count(strings.TrimSpace(d.ctr(t, "task", "ps", id)), "\n") >= 3
	})
	d.ctr(t, "task", "kill", "-s", "SIGKILL", id)
	until(t, "the task has stopped", func() bool { row := d.row(t, id); return len(row) > 2 && row[2] == "STOPPED" })
	if r := d.try(t, "task", "delete", id); !strings.Contains(r.stderr, "137") {
		t.Errorf("task delete says %q, want exit code 137", r.stderr)
	}
	topics := strings.Join(seen(id), " ")
	if want := "/tasks/create /tasks/start /tasks/exit /tasks/delete"; topics != want {
		t.Errorf("events %s, want %s", topics, want)
	}
	d.nothingLeft(t)
}
