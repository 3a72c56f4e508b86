package hostprocess

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/containerd/log"

	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/container/resource"
	"github.com/siloshim/siloshim/internal/ownership"
)

// Files has the files and volumes of a machine. Removing what does not exist is no error. A Files is safe for concurrent
// use.
type Files interface {
	plan.Files
	// Mount makes the directory dir and mounts a volume there. It returns [fs.ErrExist] if dir exists.
	Mount(volume, dir string) error
	// Unmount unmounts a volume and removes the directory.
	Unmount(dir string) error
	// Link makes a symbolic link to target at a path below root, and the directories above it. A link or an empty
	// directory at the path is removed. Anything else is renamed, once; a second time is [fs.ErrExist]. A link above the
	// path is an error, because it could lead out of root.
	Link(root, below, target string) error

	// CheckOwner returns [ownership.ErrForeign] if another user could replace a directory or one above it. What does not
	// exist is skipped.
	CheckOwner(dir string) error

	// Kept lists the directories from the drive down to dir that do not exist, or that exist only because a Keep made
	// them.
	Kept(dir string) ([]string, error)
	// Keep makes one of those directories if it does not exist. It stays until the closer is closed or this process ends,
	// in every process that keeps it.
	Keep(dir string) (io.Closer, error)
	// Unkeep removes a directory unless a process keeps it or it has other content. It returns [ErrHeld] if only the
	// handle of another program prevents that.
	Unkeep(dir string) error
}

// ErrHeld is returned if another program has a directory, or a file that was in it, open. Virus scanners do so for a
// short time.
var ErrHeld = errors.New("another program has it open")

// Unkeep removes a directory that is not kept any more. If it is held it tries again, and then leaves the empty directory
// with a warning.
func Unkeep(files Files, dir string) error {
	held := func(err error) bool { return errors.Is(err, ErrHeld) }
	err := resource.Retry(context.Background(), held, func() error { return files.Unkeep(dir) })
	if held(err) {
		log.L.WithError(err).Warnf("remove directory %s: it is in use; delete it later", dir)
		return nil
	}
	return err
}

// portableFiles implements those methods of [Files] that are the same on every system.
type portableFiles struct{}

func (portableFiles) IsFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}

func (portableFiles) IsDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func (portableFiles) MakeDir(path string) error { return os.MkdirAll(path, 0o755) }

func (portableFiles) CheckOwner(dir string) error { return ownership.CheckAll(dir) }

func (portableFiles) Link(root, below, target string) error {
	at := strings.TrimRight(root, `\/`)
	elements := fields(below)
	if len(elements) == 0 {
		return fmt.Errorf("link %s: it is the root file system itself: %w", root, fs.ErrExist)
	}
	last := len(elements) - 1
	for _, element := range elements[:last] {
		at += string(os.PathSeparator) + element
		if err := makeDir(at); err != nil {
			return err
		}
	}
	at += string(os.PathSeparator) + elements[last]
	if err := clearPath(at); err != nil {
		return err
	}
	return os.Symlink(target, at)
}

// fields are the elements of a Windows path.
func fields(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '\\' || r == '/' })
}

// surrogate is set for links and for mount points.
const surrogate = fs.ModeSymlink | fs.ModeIrregular

// makeDir makes a directory, or checks that the existing one is no link.
func makeDir(path string) error {
	if err := os.Mkdir(path, 0o755); !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(path)
	if err == nil && (!info.IsDir() || info.Mode()&surrogate != 0) {
		err = &fs.PathError{Op: "link below", Path: path, Err: errors.New("it is not a directory, or a link to one")}
	}
	return err
}

// shadowed is appended to the name of a file of an image that a mount hides.
const shadowed = ".shadowed"

// clearPath removes a link or an empty directory, and renames anything else.
func clearPath(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.IsDir() || info.Mode()&surrogate != 0 {
		if os.Remove(path) == nil {
			return nil
		}
	}
	if _, err := os.Lstat(path + shadowed); !errors.Is(err, fs.ErrNotExist) {
		return &fs.PathError{Op: "rename", Path: path, Err: errors.Join(fs.ErrExist, err)}
	}
	return os.Rename(path, path+shadowed)
}
