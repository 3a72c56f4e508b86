package node

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// openShared opens a file to read that its writer may replace meanwhile: [os.Open] does not share that right.
//
// https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-createfilew
func openShared(path string) (*os.File, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	const flags = windows.SECURITY_SQOS_PRESENT | windows.SECURITY_IDENTIFICATION // of a pipe that the owner of a record has linked here
	const share = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE
	h, err := windows.CreateFile(name, windows.GENERIC_READ, share, nil, windows.OPEN_EXISTING, windows.FILE_ATTRIBUTE_NORMAL|flags, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(h), path), nil
}

// inUse reports whether another process is in the way of a call on a file. A file that is just being replaced is refused
// like one without the right to it.
func inUse(err error) bool {
	return errors.Is(err, windows.ERROR_SHARING_VIOLATION) || errors.Is(err, windows.ERROR_ACCESS_DENIED) ||
		errors.Is(err, windows.ERROR_LOCK_VIOLATION)
}
