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
	list   func(path string) (files, error)
	from   Position
	at     Position // of the next byte
	file   *opened  // nil before there is one
	next   *opened  // the one that follows; file has its final length
	times  timesReader
	missed int
}

// opened is a file with its identity, which is read at once: a file that was renamed meanwhile may not have it any more.
type opened struct {
	*os.File
	info   os.FileInfo
	number int
}

// NewReader reads a log from a position, or from the oldest text after it. The log need not exist yet.
func NewReader(path string, from Position) *Reader {
	return &Reader{path: path, list: listFiles, from: from, at: from}
}

// Close closes the files that the reader has open.
func (r *Reader) Close() error {
	for _, file := range []*opened{r.file, r.next} {
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
			r.use(r.next)
			r.next = nil
			continue
		}
		// Nothing is added to a file that has a successor, so it is read once more if there is one.
		if r.next, err = r.successor(); err != nil {
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
func (r *Reader) use(file *opened) {
	if r.at.File > 0 {
		r.missed += max(0, file.number-r.at.File-1)
	}
	r.file, r.at = file, Position{File: file.number}
	r.times.close()
	r.times.path = rotatedName(r.path, file.number) + timesSuffix
}

// begin opens the first file. It returns [io.EOF] if there is none yet.
func (r *Reader) begin() error {
	file, err := r.oldest(r.from.File)
	if err != nil {
		return err
	}
	if file == nil {
		return io.EOF
	}
	if r.from.File > 0 && file.number > r.from.File {
		r.missed = file.number - r.from.File
	}
	r.at = Position{}
	r.use(file)
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if file.number != r.from.File || info.Size() < r.from.Offset {
		return nil // another file than that of the position
	}
	r.at.Offset, err = file.Seek(r.from.Offset, io.SeekStart)
	return err
}

// successor opens the file after the one that is read, or returns nil if that is the current one.
func (r *Reader) successor() (*opened, error) {
	if now, err := os.Stat(r.path); err == nil && os.SameFile(r.file.info, now) {
		return nil, nil
	}
	return r.oldest(r.at.File)
}

// raceTries bounds the tries to open a file while the log is rotated; the next read goes on.
const raceTries = 10

// oldest opens the first file with a number of least or more that is not the one that is read, or returns nil if there is
// none.
func (r *Reader) oldest(least int) (*opened, error) {
	for range raceTries {
		list, err := r.list(r.path)
		if err != nil {
			return nil, err
		}
		file, err := r.oldestOf(list, least)
		if file != nil || err != nil {
			return file, err
		}
		after, err := r.list(r.path)
		if err != nil || after.current() == list.current() && len(after.rotated) == len(list.rotated) {
			return nil, err
		}
	}
	return nil, nil
}

// oldestOf is oldest for a list that may be out of date. Then it returns nil.
func (r *Reader) oldestOf(list files, least int) (*opened, error) {
	for _, number := range list.rotated {
		if number < least {
			continue
		}
		file, isOwn, err := r.openOther(rotatedName(r.path, number), number)
		switch {
		case isOwn:
			r.at.File = number
		case errors.Is(err, fs.ErrNotExist): // removed, or renamed again because the rotation failed
		case err != nil:
			return nil, err
		default:
			return r.unlisted(file)
		}
	}
	file, _, err := r.openOther(r.path, list.current())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if file == nil || err != nil {
		return nil, err
	}
	// It is the current one, and has the number, if nothing was rotated since the list was made.
	after, err := r.list(r.path)
	if err == nil && after.current() == list.current() {
		return r.unlisted(file)
	}
	return nil, errors.Join(err, file.Close())
}

// unlisted returns the first file between the one that is read and another one, or that one if there is none. A list of a
// directory that changes meanwhile may lack a file.
func (r *Reader) unlisted(file *opened) (*opened, error) {
	if r.file == nil {
		return file, nil
	}
	for number := r.at.File + 1; number <= file.number; number++ {
		between, isOwn, err := r.openOther(rotatedName(r.path, number), number)
		switch {
		case isOwn:
			r.at.File = number
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, errors.Join(err, file.Close())
		case os.SameFile(between.info, file.info):
			file.number = number
			return file, between.Close()
		default:
			return between, file.Close()
		}
	}
	return file, nil
}

// openOther opens a file unless it is the one that is read.
func (r *Reader) openOther(path string, number int) (_ *opened, isOwn bool, err error) {
	file, err := OpenShared(path)
	if err != nil {
		return nil, false, err
	}
	info, err := file.Stat()
	if isOwn = err == nil && r.file != nil && os.SameFile(info, r.file.info); isOwn || err != nil {
		return nil, isOwn, errors.Join(err, file.Close())
	}
	return &opened{file, info, number}, false, nil
}
