//go:build !windows

package command

import "os"

// openShared opens a file to read that its writer may rename meanwhile.
func openShared(path string) (*os.File, error) { return os.Open(path) }
