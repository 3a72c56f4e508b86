package e2e

import (
	"bufio"
	"encoding/json"
	"strings"
	"testing"
)

// events collects the topics of one container until its delete was seen. It returns once containerd sends to it.
func (d *daemon) events(t *testing.T) (seen func(id string) []string) {
	t.Helper()
	lines := d.listen(t)
	until(t, "containerd sends events", func() bool {
		d.ctr(t, "namespace", "label", "default", "probe="+newID())
		select {
		case _, open := <-lines:
			if !open { // ctr came between two instances of the daemon's pipe
				lines = d.listen(t)
			}
			return open
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

// listen runs `ctr events` until the test ends.
func (d *daemon) listen(t *testing.T) <-chan string {
	t.Helper()
	cmd := d.Ctr(t.Context(), "events")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	lines := make(chan string, 1024)
	go func() { // ends with the command
		defer close(lines)
		for scanner := bufio.NewScanner(out); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	return lines
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
