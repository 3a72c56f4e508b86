package logfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"time"
)

// Position is a place in a log: an offset in the file with a number. The zero Position is the oldest text.
type Position struct {
	File   int
	Offset int64
}

// Reader reads a log: the rotated files in order, then the current one, and what is added to them. It is not safe for
// concurrent use.
type Reader struct {
	path   string
	from   Position
	at     Position // of the next byte
	file   *os.File // nil before there is one
	next   *os.File // the one that follows; file has its final length
	number int      // of next
	times  timesReader
	missed int
}

// NewReader reads a log from a position, or from the oldest text after it. The log need not exist yet.
func NewReader(path string, from Position) *Reader {
	return &Reader{path: path, from: from, at: from}
}

// Close closes the files that the reader has open.
func (r *Reader) Close() error {
	for _, file := range []*os.File{r.file, r.next} {
		if file != nil {
			_ = file.Close() // it was only read
		}
	}
	r.file, r.next = nil, nil
	r.times.close()
	return nil
}

// Position is that of the next byte.
func (r *Reader) Position() Position { return r.at }

// Missed is the number of files that were removed before the reader had come to them.
func (r *Reader) Missed() int { return r.missed }

// Read reads on. It returns [io.EOF] at the end of what there is now; a later call returns what was added. The bytes
// of one call are those of one file.
func (r *Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if r.file == nil {
		if err := r.begin(); err != nil {
			return 0, err
		}
	}
	for {
		n, err := r.file.Read(p)
		if n > 0 {
			r.at.Offset += int64(n)
			r.times.refresh()
			return n, nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		if r.next != nil {
			_ = r.file.Close() // it was only read
			r.use(r.next, r.number)
			r.next = nil
			continue
		}
		// Nothing is added to a file that has a successor, so it is read once more if there is one.
		if r.next, r.number, err = r.successor(); err != nil {
			return 0, err
		}
		if r.next == nil {
			return 0, io.EOF
		}
	}
}

// Time is when the text at a position of the file that was read last was written, 100 ms too early at most. Without an
// index it is the time of the last write to the file.
func (r *Reader) Time(at Position) time.Time {
	if t, ok := r.times.at(at.Offset); ok {
		return t
	}
	if r.file != nil {
		if info, err := r.file.Stat(); err == nil {
			return info.ModTime()
		}
	}
	return time.Time{}
}

// use makes file the one that is read.
func (r *Reader) use(file *os.File, number int) {
	if r.at.File > 0 {
		r.missed += max(0, number-r.at.File-1)
	}
	r.file, r.at = file, Position{File: number}
	r.times.close()
	r.times.path = rotatedName(r.path, number) + timesSuffix
}

// begin opens the first file. It returns [io.EOF] if there is none yet.
func (r *Reader) begin() error {
	file, number, err := r.oldest(r.from.File, nil)
	if err != nil {
		return err
	}
	if file == nil {
		return io.EOF
	}
	if r.from.File > 0 && number > r.from.File {
		r.missed = number - r.from.File
	}
	r.at = Position{}
	r.use(file, number)
	if info, err := file.Stat(); number != r.from.File || err != nil || info.Size() < r.from.Offset {
		return nil // another file than that of the position
	}
	r.at.Offset, err = file.Seek(r.from.Offset, io.SeekStart)
	return err
}

// successor opens the file after the one that is read, or returns nil if that is the current one.
func (r *Reader) successor() (*os.File, int, error) {
	own, err := r.file.Stat()
	if err != nil {
		return nil, 0, err
	}
	if now, err := os.Stat(r.path); err == nil && os.SameFile(own, now) {
		return nil, 0, nil
	}
	return r.oldest(r.at.File, own)
}

// raceTries bounds the tries to open a file while the log is rotated; the next read goes on.
const raceTries = 10

// oldest opens the first file with a number of least or more that is not own, or returns nil if there is none.
func (r *Reader) oldest(least int, own os.FileInfo) (*os.File, int, error) {
	for range raceTries {
		list, err := listFiles(r.path)
		if err != nil {
			return nil, 0, err
		}
		file, number, err := r.oldestOf(list, least, own)
		if file != nil || err != nil {
			return file, number, err
		}
		after, err := listFiles(r.path)
		if err != nil || after.current() == list.current() && len(after.rotated) == len(list.rotated) {
			return nil, 0, err
		}
	}
	return nil, 0, nil
}

// oldestOf is oldest for a list that may be out of date. Then it returns nil.
func (r *Reader) oldestOf(list files, least int, own os.FileInfo) (*os.File, int, error) {
	for _, number := range list.rotated {
		if number < least {
			continue
		}
		file, isOwn, err := openOther(rotatedName(r.path, number), own)
		switch {
		case isOwn:
			r.at.File = number
		case errors.Is(err, fs.ErrNotExist): // removed, or renamed again because the rotation failed
		default:
			return file, number, err
		}
	}
	file, isOwn, err := openOther(r.path, own)
	if isOwn || errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	// It is the current one, and has the number, if nothing was rotated since the list was made.
	after, err := listFiles(r.path)
	if err == nil && after.current() == list.current() {
		return file, after.current(), nil
	}
	return nil, 0, errors.Join(err, file.Close())
}

// openOther opens a file unless it is own.
func openOther(path string, own os.FileInfo) (file *os.File, isOwn bool, err error) {
	if file, err = OpenShared(path); err != nil || own == nil {
		return file, false, err
	}
	info, err := file.Stat()
	if err != nil || os.SameFile(info, own) {
		return nil, err == nil, errors.Join(err, file.Close())
	}
	return file, false, nil
}
