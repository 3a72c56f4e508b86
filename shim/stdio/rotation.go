package stdio

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"net/url"
	"os"
	"strconv"
	"sync"

	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/internal/size"
)

// rotation is the size at which a log file is rotated and the number of files, by the query of file://:
// max_size in bytes, or with a unit such as k, m or g, and max_files, the file that is written among them.
type rotation struct {
	size  int64 // 0 is never
	files int
}

const (
	defaultFiles = 5
	maxFiles     = 1000
)

// parseRotation reads the query of file://. Nothing else may be in it.
func parseRotation(field, query string) (r rotation, err error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return r, fmt.Errorf("%s: file:// has a malformed query: %w", field, errdefs.ErrInvalidArgument)
	}
	for key := range values {
		switch value := values.Get(key); key {
		case "max_size":
			r.size, err = parseMaxSize(value)
		case "max_files":
			r.files, err = strconv.Atoi(value)
			if r.files < 1 || r.files > maxFiles {
				err = strconv.ErrRange
			}
		default:
			return r, fmt.Errorf("%s: file:// has an unknown key %q; use max_size and max_files: %w", field, key, errdefs.ErrInvalidArgument)
		}
		if err != nil {
			return r, fmt.Errorf("%s: file:// has a malformed %s; use a number of 1 or more, and at most %d files: %w", field, key, maxFiles, errdefs.ErrInvalidArgument)
		}
	}
	switch {
	case r.files > 0 && r.size == 0:
		return r, fmt.Errorf("%s: file:// has max_files without max_size; add max_size: %w", field, errdefs.ErrInvalidArgument)
	case r.files == 0:
		r.files = defaultFiles
	}
	return r, nil
}

func parseMaxSize(text string) (int64, error) {
	n, err := size.Parse(text)
	if err == nil && (n < 1 || n > math.MaxInt64) {
		err = strconv.ErrRange
	}
	return int64(n), err
}

// rotated is a log file that is renamed when it is full: x.log becomes x.log.1, that becomes x.log.2, and so on.
// All streams of this process that write to a path share it. All methods are safe for concurrent use.
type rotated struct {
	// Immutable.
	path     string
	rotation rotation

	mu   sync.Mutex // held over each write: it is one with the rotation before it
	file *os.File
	size int64
	full int64 // the size to rotate at

	users int // guarded by rotatedFiles.mu
}

// rotatedFiles are those that are open, by path.
var rotatedFiles = struct {
	mu   sync.Mutex // held over opening and closing: a path has one file
	open map[string]*rotated
}{open: map[string]*rotated{}}

// rotatedUse is one stream's use of the file.
type rotatedUse struct {
	*rotated
	once sync.Once
}

// openRotated opens the file to append to. The rotation is that of the first use.
func openRotated(path string, r rotation) (*rotatedUse, error) {
	rotatedFiles.mu.Lock()
	defer rotatedFiles.mu.Unlock()
	f := rotatedFiles.open[path]
	if f == nil {
		f = &rotated{path: path, rotation: r}
		if err := f.reopen(); err != nil {
			return nil, err
		}
		rotatedFiles.open[path] = f
	}
	f.users++
	return &rotatedUse{rotated: f}, nil
}

// Close closes the file with its last user.
func (u *rotatedUse) Close() error {
	err := os.ErrClosed
	u.once.Do(func() {
		rotatedFiles.mu.Lock()
		defer rotatedFiles.mu.Unlock()
		err = nil
		if u.users--; u.users == 0 {
			delete(rotatedFiles.open, u.path)
			err = u.closeFile()
		}
	})
	return err
}

func (f *rotated) closeFile() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		return nil
	}
	return f.file.Close()
}

// Write appends p. A file has at most the configured size, and ends with a whole line unless one line is longer.
func (f *rotated) Write(p []byte) (n int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(p) > 0 {
		if f.file == nil { // the last rotation lost it
			if err := f.reopen(); err != nil {
				return n, err
			}
		}
		part := f.fitting(p)
		if len(part) == 0 {
			if err := f.rotate(); err != nil {
				return n, err
			}
			continue
		}
		written, err := f.file.Write(part)
		n, f.size = n+written, f.size+int64(written)
		if err != nil {
			return n, err
		}
		p = p[written:]
	}
	return n, nil
}

// fitting is as much of p as goes into the file before it is full.
func (f *rotated) fitting(p []byte) []byte {
	room := max(0, f.full-f.size)
	if int64(len(p)) <= room {
		return p
	}
	p = p[:room]
	if i := bytes.LastIndexByte(p, '\n'); i >= 0 {
		return p[:i+1]
	}
	if f.size > 0 {
		return nil
	}
	return p
}

// rotate renames the full file and opens a new one. Where another process has the file open in a way that forbids that,
// the same file grows by its maximum once more: a long file is better than a lost line.
func (f *rotated) rotate() error {
	err := f.file.Close()
	f.file = nil
	if err != nil {
		return err
	}
	for i := f.rotation.files - 1; i > 0; i-- {
		_ = os.Rename(f.name(i-1), f.name(i)) // it may not be there
	}
	if f.rotation.files == 1 {
		_ = os.Truncate(f.path, 0)
	}
	if err := f.reopen(); err != nil {
		return err
	}
	if f.size > 0 {
		f.full += f.size
	}
	return nil
}

func (f *rotated) reopen() error {
	file, err := openLog(f.path)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		return errors.Join(err, file.Close())
	}
	f.file, f.size, f.full = file, info.Size(), f.rotation.size
	return nil
}

// name is the path of the file after i rotations.
func (f *rotated) name(i int) string {
	if i == 0 {
		return f.path
	}
	return f.path + "." + strconv.Itoa(i)
}
