// Package readlimit reads files that another user or program may have written. A file above its limit is refused by its
// size, before it is read.
package readlimit

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// Text is the limit, in bytes, of a file of text: a configuration, a specification, a record. Such files have some
// kilobytes.
const Text = 16 << 20

// ErrTooLarge is wrapped by the error about a file above its limit.
var ErrTooLarge = errors.New("the file is too large")

// File reads a whole file of at most limit bytes.
func File(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // it was only read
	return Read(f, limit)
}

// Read reads the rest of an open file, which has at most limit bytes. It also stops at the limit of a file that grows
// meanwhile, or that has no size.
func Read(f *os.File, limit int64) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	size := info.Size()
	if size <= limit {
		text, err := io.ReadAll(io.LimitReader(f, limit+1))
		if size = int64(len(text)); err != nil || size <= limit {
			return text, err
		}
	}
	return nil, fmt.Errorf("read %s: %d bytes or more, and the limit is %d: %w", f.Name(), size, limit, ErrTooLarge)
}
