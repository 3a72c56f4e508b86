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
)

// Files is the file system of the machine, as far as job containers with files of their own need it. Taking away what
// is not there is no error. A Files is safe for concurrent use.
type Files interface {
	plan.Files
	// Mount shows a volume in a directory, which it makes. One that is there already is [fs.ErrExist].
	Mount(volume, dir string) error
	// Unmount takes a volume away from a directory, and the directory.
	Unmount(dir string) error
	// Link makes a path below root lead to target, with the directories above it. A link and an empty directory at that
	// path give way; anything else is moved aside, once, which is what a mount does to it. Above the path there must not
	// be a link: it could lead out of root.
	Link(root, below, target string) error

	// Kept lists the directories on the way to dir, dir last, that are not there, or only because somebody keeps them.
	Kept(dir string) ([]string, error)
	// Keep makes one of those if it is not there, and keeps it until the closer is closed or this process ends.
	Keep(dir string) (io.Closer, error)
	// Unkeep takes a directory away unless somebody keeps it, or has put something into it. If nothing but another
	// program's handle is in the way, that is [ErrHeld].
	Unkeep(dir string) error
}

// ErrHeld says that another program has a directory, or a file that was in it, open: virus scanners do for a moment.
var ErrHeld = errors.New("another program has it open")

// Unkeep takes away a directory that is not kept any more. One that is held is tried again, and then left with a
// warning: it is empty.
func Unkeep(files Files, dir string) error {
	held := func(err error) bool { return errors.Is(err, ErrHeld) }
	err := resource.Retry(context.Background(), held, func() error { return files.Unkeep(dir) })
	if held(err) {
		log.L.WithError(err).Warnf("directory %s stays: delete it when it is not in use any more", dir)
		return nil
	}
	return err
}

// plainFiles are those calls of [Files] that every system has.
type plainFiles struct{}

// IsFile implements [plan.Files].
func (plainFiles) IsFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}

// IsDir implements [plan.Files].
func (plainFiles) IsDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// MakeDir implements [plan.Files].
func (plainFiles) MakeDir(path string) error { return os.MkdirAll(path, 0o755) }

// Link implements [Files].
func (plainFiles) Link(root, below, target string) error {
	at := strings.TrimRight(root, `\/`)
	elements := fields(below)
	if len(elements) == 0 {
		return fmt.Errorf("link %s: it is the root itself: %w", root, fs.ErrExist)
	}
	last := len(elements) - 1
	for _, element := range elements[:last] {
		at += string(os.PathSeparator) + element
		if err := ownDir(at); err != nil {
			return err
		}
	}
	at += string(os.PathSeparator) + elements[last]
	if err := giveWay(at); err != nil {
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

// ownDir makes a directory unless it is there.
func ownDir(path string) error {
	if err := os.Mkdir(path, 0o755); !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(path)
	if err == nil && (!info.IsDir() || info.Mode()&surrogate != 0) {
		err = &fs.PathError{Op: "link below", Path: path, Err: errors.New("it is no directory of its own")}
	}
	return err
}

// shadowed ends the name of what an image has where a mount is.
const shadowed = ".shadowed"

// giveWay takes a link or an empty directory away, and moves anything else aside.
func giveWay(path string) error {
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
		return &fs.PathError{Op: "move aside", Path: path, Err: errors.Join(fs.ErrExist, err)}
	}
	return os.Rename(path, path+shadowed)
}
