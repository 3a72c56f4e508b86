// Package ownership makes directories for the state of a program that runs as LocalSystem or as an administrator, and
// refuses those that another user has prepared. Every user may make directories in %ProgramData% and in the root of a
// drive, and stays the owner of what it has made: it can read, replace and link what a service later writes there.
package ownership

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrForeign is returned for a path that another user could replace.
var ErrForeign = errors.New("another user owns it")

// Check returns [ErrForeign] if the owner of a path is neither this user, nor one that may change every file: on Windows
// LocalSystem, the administrators and the installer of Windows. The owner of a link is that of the link.
func Check(path string) error {
	ours, owner, err := owned(path)
	if err != nil {
		return &fs.PathError{Op: "query the owner of", Path: path, Err: err}
	}
	if !ours {
		return fmt.Errorf("%s: %w (%s); remove it, or give it to the administrators", path, ErrForeign, owner)
	}
	return nil
}

// CheckAll checks a path and the directories above it, up to the drive, which cannot be replaced. What does not exist is
// skipped.
func CheckAll(path string) error {
	for above := filepath.Dir(path); above != path; path, above = above, filepath.Dir(above) {
		if err := Check(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// MakeDir makes a directory with a security descriptor in SDDL, and checks the owner of one that exists. A link is
// always [ErrForeign]. Windows alone has descriptors; elsewhere the directory has the mode 0700.
func MakeDir(path, sddl string) error {
	err := makeDir(path, sddl)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() || info.Mode()&(fs.ModeSymlink|fs.ModeIrregular) != 0 {
		return fmt.Errorf("%s: it is a link or a file, not a directory: %w", path, ErrForeign)
	}
	return Check(path)
}

// MakeAll makes a directory and those above it that do not exist, with one descriptor. It checks the owners of the
// directory and of the one above it, who could replace it.
func MakeAll(path, sddl string) error {
	above := filepath.Dir(path)
	if _, err := os.Lstat(above); errors.Is(err, fs.ErrNotExist) && above != path {
		if err := MakeAll(above, sddl); err != nil {
			return err
		}
	}
	if err := Check(above); err != nil {
		return err
	}
	err := makeDir(path, sddl)
	if errors.Is(err, fs.ErrExist) {
		err = Check(path) // a link of an administrator may lead to another drive
	}
	return err
}
