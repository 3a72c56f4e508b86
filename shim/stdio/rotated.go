package stdio

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"sync"
)

// rotated is a log file that is put aside when it is full: x.log becomes x.log.1, that becomes x.log.2, and so on.
// Everyone in this process who writes to a path shares it. All methods are safe for concurrent use.
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

// rotatedUse is one of those who write.
type rotatedUse struct {
	*rotated
	once sync.Once
}

// openRotated opens the file to append to. Who opens it first says how it is rotated.
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

// Write appends p. A file has at most the size that was asked for, and ends with a whole line unless one line is longer.
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

// rotate puts the file aside. Where it cannot, as somebody holds it open in a way that forbids it, it goes on with the
// same one for another time: a long file is better than a lost line.
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

// name is the path of the file that was put aside i times.
func (f *rotated) name(i int) string {
	if i == 0 {
		return f.path
	}
	return f.path + "." + strconv.Itoa(i)
}
