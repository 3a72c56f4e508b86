package install

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/siloshim/siloshim/internal/readlimit"
)

// aside ends the name of a file that was replaced or removed, until it can be deleted.
const aside = ".old"

// differs reports whether a file has other contents, or does not exist.
func differs(path string, want []byte) (there, different bool, err error) {
	have, err := readlimit.File(path, maxProgram)
	if errors.Is(err, fs.ErrNotExist) {
		return false, true, nil
	}
	if errors.Is(err, readlimit.ErrTooLarge) {
		return true, true, nil
	}
	return true, !bytes.Equal(have, want), err
}

// moveAside renames a file to a free name, which it returns. The executable of a running process can be renamed and not
// be deleted, so earlier ones may still exist.
func moveAside(path string) (string, error) {
	for i := 0; ; i++ {
		to := path + aside
		if i > 0 {
			to += strconv.Itoa(i)
		}
		if _, err := os.Lstat(to); err == nil {
			continue
		}
		return to, os.Rename(path, to)
	}
}

// removeAside deletes the files that were moved aside, except those in use.
func removeAside(path string) {
	for _, p := range movedAside(path) {
		_ = os.Remove(p) // one in use stays until the next time
	}
}

func movedAside(path string) []string {
	old, _ := filepath.Glob(path + aside + "*") // only a bad pattern is an error
	return old
}

// put writes a file beside its name and renames it there. What was there before is aside until the change is kept.
func put(path string, content []byte) (undo func() error, err error) {
	var made bool
	if _, err := os.Stat(filepath.Dir(path)); errors.Is(err, fs.ErrNotExist) {
		made = true
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	fresh := path + ".new"
	if err := writeThrough(fresh, content); err != nil {
		return nil, errors.Join(err, os.Remove(fresh))
	}
	back := func() error {
		if made {
			return os.Remove(filepath.Dir(path))
		}
		return nil
	}
	if _, err := os.Lstat(path); err == nil {
		if back, err = takeAway(path); err != nil {
			return nil, errors.Join(err, os.Remove(fresh))
		}
	}
	if err := os.Rename(fresh, path); err != nil {
		return nil, errors.Join(err, os.Remove(fresh), back())
	}
	return func() error {
		wrong, err := moveAside(path) // not removed: it may have been started
		if err == nil {
			_ = os.Remove(wrong)
		}
		return errors.Join(err, back())
	}, nil
}

// takeAway moves a file aside.
func takeAway(path string) (undo func() error, err error) {
	old, err := moveAside(path)
	if err != nil {
		return nil, err
	}
	return func() error { return os.Rename(old, path) }, nil
}

// writeThrough writes a new file down to the disk: what is renamed into place must be whole after a power cut. It removes
// what is at the path: to write through a link would change another file.
func writeThrough(path string, content []byte) (err error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(content); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return f.Sync()
}
