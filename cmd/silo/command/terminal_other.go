//go:build !windows

package command

import "io"

// terminal prepares a screen for control sequences, and returns its height, 0 if unknown, and what undoes it.
func terminal(io.Writer) (height int, restore func()) { return 0, func() {} }
