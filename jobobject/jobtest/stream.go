package jobtest

import (
	"errors"
	"os"
	"sync/atomic"
)

// stream is a process's own copy of one of its files.
type stream struct {
	file   *os.File
	closed atomic.Bool
}

// Read reads as the file does, but through the closing of another copy.
func (s *stream) Read(b []byte) (int, error) {
	for {
		n, err := s.file.Read(b)
		if n > 0 || !s.disturbed(err) {
			return n, err
		}
	}
}

// Write writes as the file does, but through the closing of another copy.
func (s *stream) Write(b []byte) (int, error) {
	done := 0
	for {
		n, err := s.file.Write(b[done:])
		done += n
		if done == len(b) || !s.disturbed(err) {
			return done, err
		}
	}
}

// disturbed reports whether err came of the closing of another copy. On Windows
// that cancels what this operating system process does with any of them; two
// processes, which the copies stand for, would not feel each other.
func (s *stream) disturbed(err error) bool { return cancelled(err) && !s.closed.Load() }

func (s *stream) Close() error {
	s.closed.Store(true)
	return s.file.Close()
}

// copyFiles gives a process its own copies, and the null device for a nil.
func copyFiles(files [3]*os.File) (copies [3]*stream, err error) {
	for i, f := range files {
		var c *os.File
		if f == nil {
			c, err = os.OpenFile(os.DevNull, os.O_RDWR, 0)
		} else {
			c, err = duplicate(f)
		}
		if err != nil {
			return copies, errors.Join(err, closeStreams(copies[:i]))
		}
		copies[i] = &stream{file: c}
	}
	return copies, nil
}

func closeStreams(streams []*stream) error {
	var errs []error
	for _, s := range streams {
		if s != nil { // or it has a console
			errs = append(errs, s.Close())
		}
	}
	return errors.Join(errs...)
}
