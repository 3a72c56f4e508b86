package logfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// errLink is returned for a log that is a link. Who may write to the directory of a log could make another file grow.
var errLink = errors.New("it is a link; name the file itself")

// retryInterval is the least time between two tries of what has failed: a rotation, or the look for a moved file.
const retryInterval = time.Second

// Options of a log.
type Options struct {
	// MaxSize is the size in bytes after which the file is rotated; 0 is never. The file ends with a whole line, so a line
	// that has begun may exceed the size. A line that is longer than MaxSize is cut.
	MaxSize int64
	// MaxFiles is the number of rotated files that are kept beside the current one; 0 keeps all.
	MaxFiles int
	// Times keeps an index of the time of each line beside each file, for [Reader.Time].
	Times bool
}

// handle is an open file.
type handle interface {
	io.WriteCloser
	Stat() (os.FileInfo, error)
}

// system has the calls that tests make fail.
type system struct {
	open   func(path string) (handle, error)
	rename func(from, to string) error
}

var thisSystem = system{
	open: func(path string) (handle, error) {
		file, err := openAppend(path)
		if err != nil {
			return nil, err // a nil *os.File in the interface would not be nil
		}
		return file, nil
	},
	rename: os.Rename,
}

// File is a log file. All methods are safe for concurrent use. Other processes may read, rename and delete the file.
type File struct {
	// Immutable.
	path    string
	options Options
	system  system

	mu      sync.Mutex // held over each write: it is one with the rotation before it
	file    handle     // nil if it could not be reopened
	info    os.FileInfo
	number  int       // of the current file
	size    int64     // of the current file
	line    int64     // bytes of the unfinished line at its end
	aside   bool      // it was renamed and its successor could not be opened
	again   time.Time // when a failed rotation is tried again
	checked time.Time // when the path was compared with the open file
	fault   error     // why the last rotation failed, nil after one that has succeeded
	times   timesWriter
}

// Open opens a log to append to, and makes its directory.
func Open(path string, o Options) (*File, error) { return openWith(thisSystem, path, o) }

func openWith(s system, path string, o Options) (*File, error) {
	f := &File{path: path, options: o, system: s}
	if err := f.reopen(); err != nil {
		return nil, fmt.Errorf("open the log %s: %w", path, err)
	}
	return f, nil
}

// Position is the end of the log.
func (f *File) Position() Position {
	f.mu.Lock()
	defer f.mu.Unlock()
	return Position{f.number, f.size}
}

// Fault returns why the log is not rotated, or nil. Writes go on in the current file, and the rotation is tried again.
func (f *File) Fault() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fault
}

// Close closes the file.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.times.close()
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file = nil
	return err
}

// Write appends p. After an error a later Write opens the file again.
func (f *File) Write(p []byte) (n int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.followPath()
	if f.file == nil {
		if err := f.reopen(); err != nil {
			return 0, fmt.Errorf("open the log %s: %w", f.path, err)
		}
	}
	for n < len(p) {
		part := f.fitting(p[n:])
		if len(part) == 0 {
			f.rotate()
			continue
		}
		written, err := f.append(part)
		n += written
		if err != nil {
			return n, fmt.Errorf("write the log %s: %w", f.path, err)
		}
	}
	return n, nil
}

// fitting is what of p goes into the current file before the next rotation.
func (f *File) fitting(p []byte) []byte {
	limit := f.options.MaxSize
	if limit == 0 || !f.info.Mode().IsRegular() || time.Now().Before(f.again) {
		return p
	}
	room := max(0, limit-f.size)
	if int64(len(p)) <= room {
		return p
	}
	if i := bytes.LastIndexByte(p[:room], '\n'); i >= 0 {
		return p[:i+1]
	}
	if f.line == 0 && f.size > 0 {
		return nil
	}
	// The file ends in the middle of a line, which goes on in it.
	rest := int64(bytes.IndexByte(p, '\n') + 1)
	if rest == 0 {
		rest = int64(len(p))
	}
	return p[:max(0, min(rest, limit-f.line))]
}

// append writes part to the file. If that fails, as after a drive was away, it opens the file again.
func (f *File) append(part []byte) (int, error) {
	n, err := f.writeOnce(part)
	if err == nil || f.reopen() != nil {
		return n, err
	}
	more, err := f.writeOnce(part[n:])
	return n + more, err
}

func (f *File) writeOnce(part []byte) (int, error) {
	// Before the text: a reader that has the text finds its time.
	f.times.add(f.size, time.Now())
	n, err := f.file.Write(part)
	f.size += int64(n)
	if i := bytes.LastIndexByte(part[:n], '\n'); i >= 0 {
		f.line = int64(n - i - 1)
	} else {
		f.line += int64(n)
	}
	return n, err
}

// use makes file the current one.
func (f *File) use(file handle, info os.FileInfo, number int) {
	f.file, f.info, f.number = file, info, number
	f.size, f.aside = info.Size(), false
	if f.size == 0 {
		f.line = 0
	}
	f.checked = time.Now()
	f.times.close()
	if f.options.Times && info.Mode().IsRegular() {
		f.times = timesWriter{path: rotatedName(f.path, number) + timesSuffix, on: true}
	}
}

// openCurrent opens the file at the path.
func (f *File) openCurrent() (handle, os.FileInfo, error) {
	file, err := f.system.open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(filepath.Dir(f.path), 0o750); err == nil {
			file, err = f.system.open(f.path)
		}
	}
	if err != nil {
		return nil, nil, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, nil, errors.Join(err, file.Close())
	}
	return file, info, nil
}

// reopen replaces the open file by the one at the path. If that cannot be opened, the open file stays.
func (f *File) reopen() error {
	file, info, err := f.openCurrent()
	if err != nil {
		return err
	}
	list, err := listFiles(f.path)
	if err != nil {
		return errors.Join(err, file.Close())
	}
	if f.file != nil {
		_ = f.file.Close() // it has failed
	}
	f.use(file, info, max(f.number, list.current()))
	return nil
}
