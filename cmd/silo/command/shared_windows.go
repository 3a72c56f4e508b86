package command

import (
	"os"

	"golang.org/x/sys/windows"
)

// openShared opens a file to read that its writer may rename meanwhile. [os.Open] does not share the right to, and a
// reader would keep the writer from rotating its log.
//
// https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-createfilew
func openShared(path string) (*os.File, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	const share = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE
	h, err := windows.CreateFile(name, windows.GENERIC_READ, share, nil, windows.OPEN_EXISTING, windows.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(h), path), nil
}
