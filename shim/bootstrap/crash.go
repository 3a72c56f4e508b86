package bootstrap

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/siloshim/siloshim/internal/fault"
)

// maxCrash is how much of a dead shim's last words delete passes on.
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
	defer f.Close() // the runtime keeps a handle of its own
	if err := debug.SetCrashOutput(f, debug.CrashOptions{}); err != nil {
		return "", fmt.Errorf("set the crash output: %w", err)
	}
	return path, nil
}

// remove forgets the file after a life that ended well.
func (c crashFile) remove() {
	_ = debug.SetCrashOutput(nil, debug.CrashOptions{})                               // closes the runtime's handle: nothing to be told about it
	_ = fault.Call("remove crash file", func() error { return os.Remove(string(c)) }) // delete tries again
}

// report passes a dead shim's last words on to w, which containerd logs, and removes the file.
func (c crashFile) report(w io.Writer) error {
	f, err := fault.Do("open crash file", func() (*os.File, error) { return os.Open(string(c)) })
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open the crash file: %w", err)
	}
	words, err := io.ReadAll(io.LimitReader(f, maxCrash))
	f.Close()
	if words = bytes.TrimSpace(words); len(words) > 0 {
		fmt.Fprintf(w, "the shim crashed: %s\n", words)
	}
	gone := fault.Call("remove crash file", func() error { return os.Remove(string(c)) })
	if errors.Is(gone, fs.ErrNotExist) || held(gone) {
		gone = nil // a shim that was ended a moment ago has removed it itself, or will once its last events are told
	}
	return errors.Join(err, gone)
}
