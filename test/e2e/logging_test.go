package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/test/workload"
)

// fileURI is the URI of a Windows path, as containerd's clients write it.
func fileURI(path string) string { return "file:///" + strings.ReplaceAll(path, `\`, "/") }

// text reads a file that must exist.
func text(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(b), "\r\n", "\n")
}

// end runs a container in the background, waits for its exit and deletes it.
func (d *daemon) end(t *testing.T, logURI string, args ...string) (id string) {
	t.Helper()
	id = newID()
	d.ctr(t, d.runArgs(t, workload.Spec(args...), id, "-d", "--log-uri", logURI)...)
	d.awaitStopped(t, id)
	d.try(t, "task", "delete", id) // its exit code is the container's
	d.ctr(t, "container", "delete", id)
	return id
}

// The file is complete when the task has stopped, and rotated as the URI requires.
func TestLog_File_IsCompleteAndRotated(t *testing.T) {
	d := newDaemon(t)
	log := filepath.Join(d.dir, "file.log")
	uri := fileURI(d.wine.WindowsPath(log)) + "?max_size=1m&max_files=2"
	d.end(t, uri, "flood", "2500000")
	d.end(t, uri, "print", "last")
	sizes := 0
	for _, path := range []string{log + ".000001", log + ".000002", log} {
		part := text(t, path)
		if len(part) > 1<<20 {
			t.Errorf("%s has %d bytes", path, len(part))
		}
		sizes += len(part)
	}
	if now := text(t, log); !strings.HasSuffix(now, "last\n") {
		t.Errorf("the log ends with %q, want last", now[max(0, len(now)-80):])
	}
	if sizes != 2500000+len("last\n") {
		t.Errorf("the files have %d bytes together, want %d", sizes, 2500000+len("last\n"))
	}
	if _, err := os.Stat(log + ".000003"); err == nil {
		t.Error("there is a third rotated file")
	}
	d.nothingLeft(t)
}

// The program of a binary:// URI has received the whole output when the task has stopped.
func TestLog_Program_GetsAllOutput(t *testing.T) {
	d := newDaemon(t)
	log := filepath.Join(d.dir, "program")
	uri := "binary:///" + strings.ReplaceAll(workload.Payload, `\`, "/") + "?logger=" + strings.ReplaceAll(d.wine.WindowsPath(log), `\`, "/")
	id := d.end(t, uri, "print", "hello logger")
	for suffix, want := range map[string]string{".out": "hello logger\n", ".err": "", ".id": "default/" + id + "\n"} {
		if got := text(t, log+suffix); got != want {
			t.Errorf("the logging program wrote %q to %s, want %q", got, suffix, want)
		}
	}
	d.end(t, uri, "err", "sorry")
	if got := text(t, log+".err"); got != "sorry\n" {
		t.Errorf("the logging program got %q on stderr, want sorry", got)
	}
	d.nothingLeft(t)
}
