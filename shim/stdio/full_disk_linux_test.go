package stdio

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestRelay_LogFileOnAFullDisk_ProgramRunsOn: a disk that is full does not hold the program back. What it has no room for is
// counted, and the log continues when there is room again. Only Linux makes a disk that small, and only for root.
func TestRelay_LogFileOnAFullDisk_ProgramRunsOn(t *testing.T) {
	disk := t.TempDir()
	if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=256k"); err != nil {
		t.Skip("mount a small disk, which needs root: ", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(disk, unix.MNT_DETACH) }) // TempDir reports what is left
	other, path := filepath.Join(disk, "other"), filepath.Join(disk, "container.log")
	if err := os.WriteFile(other, randomBytes(128<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	r := open(t, Config{Stdout: uri("file", path), Retry: time.Millisecond})
	_, out, _ := child(t, r)
	program := dup(t, out)
	r.Start()

	line := string(bytes.Repeat([]byte("x"), 1023)) + "\n"
	written := 0
	print := func(text string) {
		write(t, program, text)
		written += len(text)
	}
	for range 1024 {
		print(line)
	}
	if err := os.Remove(other); err != nil {
		t.Fatal(err)
	}
	contents := func() []byte {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !bytes.Contains(contents(), []byte("there is room\n")) {
		print("there is room\n")
		<-tick.C
	}
	print("the end\n")
	closeFiles(t, program)
	if held, err := r.Drain(t.Context()); held || err != nil {
		t.Error("drain: ", held, err)
	}
	if err := r.Close(); err != nil {
		t.Error("close: ", err)
	}
	text, lost := contents(), r.Lost()
	if !bytes.HasPrefix(text, []byte(line)) || !bytes.HasSuffix(text, []byte("the end\n")) || lost == 0 || len(text)+int(lost) != written {
		t.Errorf("the log has %d bytes and %d are lost, of %d; it ends with %q", len(text), lost, written, text[max(0, len(text)-40):])
	}
}
