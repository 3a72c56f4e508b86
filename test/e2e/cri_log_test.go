package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/siloshim/siloshim/test/payload/flood"
)

// containerLog: each line of the log has a time, a stream and a tag, and the parts add up to the output.
func containerLog(t *testing.T, n *node) {
	p := n.pod(t)
	pod := n.run(t, p)
	const size = 1 << 20
	var want bytes.Buffer
	if err := flood.Write(&want, size); err != nil {
		t.Fatal(err)
	}
	c := container("flood", strconv.Itoa(size))
	n.exited(t, n.start(t, pod, c, p))
	if got := logged(t, filepath.Join(p.logs, c.LogPath), "stdout"); got != want.String() {
		t.Errorf("the log has %d bytes of %d, or different ones", len(got), size)
	}
	c = container("err", "sorry")
	id := n.start(t, pod, c, p)
	n.exited(t, id)
	if got := logged(t, filepath.Join(p.logs, c.LogPath), "stderr"); strings.TrimSpace(got) != "sorry" {
		t.Errorf("the log has %q, want sorry", got)
	}
	if r := n.try(t, "logs", "--stream", "stdout", id); r.stdout != "" {
		t.Errorf("the log of standard output is %q, want nothing", r.stdout)
	}
	n.drop(t, pod)
}

// logged joins the parts of a log, which must all be of one stream.
func logged(t *testing.T, path, stream string) string {
	t.Helper()
	var all strings.Builder
	for line := range strings.Lines(text(t, path)) {
		words := strings.SplitN(line, " ", 4)
		if len(words) != 4 || words[1] != stream {
			t.Fatalf("the log has the line %.80q, want one of %s", line, stream)
		}
		if _, err := time.Parse(time.RFC3339Nano, words[0]); err != nil {
			t.Fatal(err)
		}
		switch words[2] {
		case "P":
			all.WriteString(strings.TrimSuffix(words[3], "\n"))
		case "F":
			all.WriteString(words[3])
		default:
			t.Fatalf("the log has the tag %q", words[2])
		}
	}
	return all.String()
}

// containerLogReopened: after a rotation the rest is in the new log; no line is lost or repeated.
func containerLogReopened(t *testing.T, n *node) {
	p := n.pod(t)
	pod := n.run(t, p)
	stop := filepath.Join(n.dir, newID())
	c := container("count", n.wine.WindowsPath(stop))
	id := n.start(t, pod, c, p)
	log := filepath.Join(p.logs, c.LogPath)
	until(t, "the log exists", func() bool { info, err := os.Stat(log); return err == nil && info.Size() > 0 })
	if err := os.Rename(log, log+".old"); err != nil {
		t.Fatal(err)
	}
	n.crictl(t, "logs", "--reopen", id)
	until(t, "the new log exists", func() bool { info, err := os.Stat(log); return err == nil && info.Size() > 0 })
	if err := os.WriteFile(stop, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	n.exited(t, id)
	lines := strings.Fields(logged(t, log+".old", "stdout") + logged(t, log, "stdout"))
	for i, line := range lines {
		if line != strconv.Itoa(i) && (line != "end" || i != len(lines)-1) {
			t.Fatalf("line %d is %q", i, line)
		}
	}
	if len(lines) == 0 || lines[len(lines)-1] != "end" {
		t.Errorf("the last line is missing: %q", lines)
	}
	n.drop(t, pod)
}
