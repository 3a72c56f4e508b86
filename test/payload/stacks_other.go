//go:build !windows

package main

import "errors"

// stacks: only the Windows payload knows how to ask.
func stacks([]string) (int, error) { return 0, errors.ErrUnsupported }
