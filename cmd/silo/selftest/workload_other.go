//go:build !windows

package selftest

import "errors"

// Emulation names the emulation of Windows that this process runs on. It is empty on Windows.
func Emulation() string { return "" }

func inside() (uint32, error)           { return 0, errors.ErrUnsupported }
func breakaway() (uint32, error)        { return 0, errors.ErrUnsupported }
func temporary(string) error            { return errors.ErrUnsupported }
func inheritedHandles() (uint32, error) { return 0, errors.ErrUnsupported }
func commit(n int) ([]byte, error)      { return make([]byte, n), nil }
