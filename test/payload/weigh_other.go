//go:build !windows

package main

import "errors"

// weigh: only the Windows payload knows.
func weigh() (uint64, error) { return 0, errors.ErrUnsupported }
