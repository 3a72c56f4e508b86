//go:build !windows

package jobobject

import "io"

func (system) CreateConsole(_, _ uint16) (Handle, io.WriteCloser, io.ReadCloser, error) {
	return 0, nil, nil, ErrNotSupported
}
func (system) ResizeConsole(Handle, uint16, uint16) error { return ErrNotSupported }
func (system) CloseConsole(Handle)                        {}
