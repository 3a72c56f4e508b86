package logfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// rotate renames the file and opens its successor. The file stays open until both have succeeded: if one fails, the log
// goes on in it.
func (f *File) rotate() {
	if err := f.tryRotate(); err != nil {
		f.fault = fmt.Errorf("rotate the log %s: %w", f.path, err)
		f.again = time.Now().Add(retryInterval)
		return
	}
	f.fault, f.again = f.prune(), time.Time{}
}

func (f *File) tryRotate() error {
	list, err := listFiles(f.path)
	if err != nil {
		return err
	}
	if !f.aside {
		f.number = max(f.number, list.current())
		if err := f.system.rename(f.path, rotatedName(f.path, f.number)); err != nil {
			return err
		}
		f.aside = true
	}
	next, info, err := f.openCurrent()
	if err != nil {
		f.aside = f.system.rename(rotatedName(f.path, f.number), f.path) != nil
		return err
	}
	// Writes reached the file when they were made; an error now would be that of the handle.
	_ = f.file.Close()
	f.use(next, info, f.number+1)
	return nil
}

// followPath opens the path again if another program has renamed or deleted the file.
func (f *File) followPath() {
	now := time.Now()
	if f.file == nil || f.aside || !f.info.Mode().IsRegular() || now.Sub(f.checked) < retryInterval {
		return
	}
	f.checked = now
	if deletePending(f.file) { // the name is free when the last handle is closed
		_ = f.file.Close()
		f.file, f.line = nil, 0
		return
	}
	info, err := os.Stat(f.path)
	if err == nil && os.SameFile(info, f.info) || err != nil && !errors.Is(err, fs.ErrNotExist) {
		return
	}
	f.line = 0
	_ = f.reopen() // if that fails the log goes on in the renamed file, and the next look is in a second
}

// prune removes the oldest files.
func (f *File) prune() error {
	if f.options.MaxFiles == 0 {
		return nil
	}
	list, err := listFiles(f.path)
	if err != nil {
		return fmt.Errorf("remove old files of the log %s: %w", f.path, err)
	}
	oldest := f.number // of the files that are kept
	if n := len(list.rotated) - f.options.MaxFiles; n > 0 {
		for _, number := range list.rotated[:n] {
			if rerr := os.Remove(rotatedName(f.path, number)); rerr != nil && !errors.Is(rerr, fs.ErrNotExist) {
				err = errors.Join(err, rerr)
			}
		}
		oldest = list.rotated[n]
	} else if len(list.rotated) > 0 {
		oldest = list.rotated[0]
	}
	for _, number := range list.indexes {
		if number < oldest {
			_ = os.Remove(rotatedName(f.path, number) + timesSuffix) // the next prune tries again
		}
	}
	if err != nil {
		return fmt.Errorf("remove old files of the log %s: %w", f.path, err)
	}
	return nil
}
