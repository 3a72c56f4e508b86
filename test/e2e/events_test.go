package e2e

import (
	"bufio"
	"encoding/json"
	"strings"
	"sync"
	"testing"
)

// events collects the topics of a container until its delete event. It returns once events of containerd arrive.
func (d *daemon) events(t *testing.T) (seen func(id string) []string) {
	t.Helper()
	lines := d.listen(t)
	until(t, "containerd sends events", func() bool {
		d.ctr(t, "namespace", "label", "default", "probe="+newID())
		select {
		case _, open := <-lines:
			if !open { // ctr found no free instance of the daemon's pipe
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

// cutTopic splits a line of `ctr events`: time, namespace, topic, JSON.
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

// recorder collects the events of all containers. It subscribes again when a containerd has ended.
type recorder struct {
	d *daemon

	mu     sync.Mutex // guards the fields below
	topics map[string][]string
	probe  string
	probed bool // the event of the probe has arrived
	ends   int  // of subscriptions
	over   bool
}

// record subscribes until the end of the test.
func (d *daemon) record(t *testing.T) *recorder {
	t.Helper()
	r := &recorder{d: d, topics: map[string][]string{}}
	ended := make(chan struct{})
	go func() { // ends with the test
		defer close(ended)
		for !r.stopped() {
			r.subscribe(t)
		}
	}()
	t.Cleanup(func() {
		r.mu.Lock()
		r.over = true
		r.mu.Unlock()
		<-ended
	})
	return r
}

func (r *recorder) stopped() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.over
}

// subscribe runs `ctr events` until its containerd ends. Without a containerd it returns at once.
func (r *recorder) subscribe(t *testing.T) {
	cmd := r.d.Ctr(t.Context(), "events")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Error(err)
		return
	}
	if err := cmd.Start(); err != nil {
		return // the test is over
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		r.receive(lines.Text())
	}
	_ = cmd.Wait() // its exit code does not matter
	r.mu.Lock()
	r.ends++
	r.mu.Unlock()
}

// interruptions counts the ends of subscriptions.
func (r *recorder) interruptions() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ends
}

func (r *recorder) receive(line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.probe != "" && strings.Contains(line, r.probe) {
		r.probed = true
	}
	topic, body, found := cutTopic(line)
	if id, ok := body["container_id"].(string); found && ok {
		r.topics[id] = append(r.topics[id], strings.TrimPrefix(topic, "/tasks/"))
	}
}

// ready returns once the events of this containerd arrive. From then on none is missed while it runs.
func (r *recorder) ready(t *testing.T) {
	t.Helper()
	probe := newID()
	r.mu.Lock()
	r.probe, r.probed = probe, false
	r.mu.Unlock()
	turn := 0
	until(t, "containerd sends events", func() bool {
		turn++ // an equal label gives no event
		r.d.ctr(t, "namespace", "label", "default", "probe="+probe+strings.Repeat("x", turn%2))
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.probed
	})
}

// of returns the events of a container once the last of them is topic, or the subscription has ended again.
func (r *recorder) of(t *testing.T, id, topic string) (topics []string) {
	t.Helper()
	began := r.interruptions()
	defer func() {
		if t.Failed() {
			t.Logf("events of %s: %q", id, topics)
		}
	}()
	until(t, "the "+topic+" is announced", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		topics = r.topics[id]
		return r.ends > began || len(topics) > 0 && topics[len(topics)-1] == topic
	})
	return topics
}
