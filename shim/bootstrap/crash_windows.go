package bootstrap

import (
	"errors"

	"golang.org/x/sys/windows"
)

// held reports whether a file could not be removed since a process has it open.
func held(err error) bool { return errors.Is(err, windows.ERROR_SHARING_VIOLATION) }
