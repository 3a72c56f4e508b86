//go:build !windows

package jobobject

import "os"

func newConsole(width, height uint16) (*Console, *os.File, *os.File, error) {
	return nil, nil, nil, ErrNotSupported
}

func resizeConsole(Handle, uint16, uint16) error { return ErrNotSupported }

func closeConsole(Handle) {}
