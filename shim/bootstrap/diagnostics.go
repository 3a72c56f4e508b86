package bootstrap

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"

	"github.com/containerd/log"

	"github.com/siloshim/siloshim/internal/fault"
)

// maxCrash bounds, in bytes, what delete passes on of the crash report of a dead shim.
const maxCrash = 64 << 10

// crashFile takes what the Go runtime writes when it ends the process. It lies beside the bundle, not in it:
// Windows could not remove a bundle that has an open file. Containerd reads its own names only, and only
// directories.
type crashFile string

func crashPath(bundle, id string) crashFile {
	return crashFile(filepath.Join(filepath.Dir(bundle), "."+id+".panic"))
}

func openCrash(bundle, id string) (crashFile, error) {
	path := crashPath(bundle, id)
	f, err := fault.Do("make crash file", func() (*os.File, error) {
		return os.OpenFile(string(path), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	})
	if err != nil {
		return "", fmt.Errorf("make the crash file: %w", err)
	}
	defer f.Close() // the runtime keeps another handle
	if err := debug.SetCrashOutput(f, debug.CrashOptions{}); err != nil {
		return "", fmt.Errorf("set the crash output: %w", err)
	}
	return path, nil
}

// remove deletes the file of a shim that ended without a crash.
func (c crashFile) remove() {
	_ = debug.SetCrashOutput(nil, debug.CrashOptions{})                               // closes the runtime's handle
	_ = fault.Call("remove crash file", func() error { return os.Remove(string(c)) }) // delete tries again
}

// report writes the crash report of a dead shim to w, which containerd logs, and removes the file.
func (c crashFile) report(w io.Writer) error {
	f, err := fault.Do("open crash file", func() (*os.File, error) { return os.Open(string(c)) })
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open the crash file: %w", err)
	}
	report, err := io.ReadAll(io.LimitReader(f, maxCrash))
	f.Close()
	if report = bytes.TrimSpace(report); len(report) > 0 {
		fmt.Fprintf(w, "the shim crashed: %s\n", report)
	}
	gone := fault.Call("remove crash file", func() error { return os.Remove(string(c)) })
	if errors.Is(gone, fs.ErrNotExist) || inUse(gone) {
		gone = nil // a shim that was shut down a moment ago has removed it, or will once its last events are sent
	}
	return errors.Join(err, gone)
}

// dumpStacks writes the stacks of all goroutines into the log, for a shim that seems to hang. It stops the process for
// the time that takes.
func dumpStacks() {
	buf := make([]byte, 16<<10)
	n := runtime.Stack(buf, true)
	for n == len(buf) {
		buf = make([]byte, 2*len(buf))
		n = runtime.Stack(buf, true)
	}
	// At the highest level, so that every level of the log shows the dump.
	log.L.Errorf("=== begin of goroutine stack dump ===\n%s\n=== end of goroutine stack dump ===", buf[:n])
}
