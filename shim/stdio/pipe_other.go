//go:build !windows

package stdio

import (
	"io"
	"os"
)

// inputPipe makes the pipe of the program's stdin.
func inputPipe() (ours io.WriteCloser, theirs *os.File, err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	return w, r, nil
}

// outputPipe makes the pipe of the program's stdout or stderr.
func outputPipe() (ours io.ReadCloser, theirs *os.File, err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	return r, w, nil
}
