package logfile

import (
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

const shareAll = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE

// OpenShared opens a file to read. Others may write, rename and delete it meanwhile. [os.Open] does not share the right
// to rename, and a reader would keep the writer from rotating its log.
//
// https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-createfilew
func OpenShared(path string) (*os.File, error) {
	return open(path, windows.GENERIC_READ, windows.OPEN_EXISTING)
}

// openAppend opens or creates a file to append to. Others may read, write, rename and delete it meanwhile. Without
// FILE_WRITE_DATA each write goes to the end of the file.
func openAppend(path string) (*os.File, error) {
	return open(path, windows.FILE_APPEND_DATA|windows.FILE_READ_ATTRIBUTES|windows.SYNCHRONIZE, windows.OPEN_ALWAYS)
}

func open(path string, access, create uint32) (*os.File, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	h, err := windows.CreateFile(name, access, shareAll, nil, create, windows.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(h), path), nil
}

// deletePending reports whether the file is deleted as soon as its last handle is closed. Deletions have been immediate
// since Windows Server 2019.
//
// https://learn.microsoft.com/windows/win32/api/winbase/ns-winbase-file_standard_info
func deletePending(h handle) bool {
	file, ok := h.(*os.File)
	if !ok {
		return false
	}
	var info [24]byte // FILE_STANDARD_INFO: two sizes, the number of links, DeletePending, Directory
	err := windows.GetFileInformationByHandleEx(windows.Handle(file.Fd()), windows.FileStandardInfo, (*byte)(unsafe.Pointer(&info)), uint32(len(info)))
	return err == nil && info[20] != 0
}
