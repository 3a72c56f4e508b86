//go:build !windows

package main

import (
	"os"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/schema"
)

// pipes exist only on Windows.
type pipes struct{ stdin, stdout, stderr uintptr }

func (*pipes) open(*schema.ProcessParameters) (stdin, stdout, stderr *os.File, err error) {
	return nil, nil, nil, jobobject.ErrNotSupported
}

func (*pipes) openConsole([]uint16) (*jobobject.Console, error) {
	return nil, jobobject.ErrNotSupported
}

func (*pipes) started(error) {}
