//go:build !windows

package selftest

import "errors"

// Emulation names what stands in for Windows here; empty on Windows itself.
func Emulation() string { return "" }

func inside() (uint32, error)      { return 0, errors.ErrUnsupported }
func breakaway() (uint32, error)   { return 0, errors.ErrUnsupported }
func temporary(string) error       { return errors.ErrUnsupported }
func commit(n int) ([]byte, error) { return make([]byte, n), nil }
