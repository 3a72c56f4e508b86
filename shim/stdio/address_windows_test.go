package stdio

import (
	"crypto/rand"
	"errors"
	"os"
	"testing"

	"github.com/Microsoft/go-winio"
	"golang.org/x/sys/windows"

	"github.com/siloshim/siloshim/internal/pipe"
)

// endpoint returns the name of a pipe that does not exist.
func endpoint(t *testing.T) string {
	t.Helper()
	return pipe.Local + "silo-test-" + rand.Text()
}

// listen makes a pipe as containerd's clients do: without a buffer, so a write
// ends when it is read.
func listen(t *testing.T) *pipeServer { return listenAt(t, endpoint(t)) }

// listenAt listens at a path of the test's choice.
func listenAt(t *testing.T, path string) *pipeServer { return listenWith(t, path, nil) }

// listenBuffered makes a pipe that takes a few bytes before anybody reads.
func listenBuffered(t *testing.T) *pipeServer {
	return listenWith(t, endpoint(t), &winio.PipeConfig{InputBufferSize: 4096, OutputBufferSize: 4096})
}

func listenWith(t *testing.T, path string, c *winio.PipeConfig) *pipeServer {
	t.Helper()
	l, err := winio.ListenPipe(path, c)
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, path, l)
}

// dup is what the program inherits.
func dup(t *testing.T, f *os.File) *os.File {
	t.Helper()
	var h windows.Handle
	self := windows.CurrentProcess()
	raw, err := f.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var dupErr error
	err = raw.Control(func(old uintptr) {
		dupErr = windows.DuplicateHandle(self, windows.Handle(old), self, &h, 0, false, windows.DUPLICATE_SAME_ACCESS)
	})
	if err = errors.Join(err, dupErr); err != nil {
		t.Fatal(err)
	}
	copied := os.NewFile(uintptr(h), f.Name())
	t.Cleanup(func() { _ = copied.Close() })
	return copied
}

// go-winio keeps one goroutine for good from its first file on. It starts here,
// so that tests which count goroutines find it running.
func init() { _, _ = winio.NewOpenFile(windows.InvalidHandle) }
