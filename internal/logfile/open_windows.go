package logfile

import (
	"errors"
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

const shareAll = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE

// OpenShared opens a file to read. Others may write, rename and delete it meanwhile. [os.Open] does not share the right
// to rename, and a reader would keep the writer from rotating its log.
//
// https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-createfilew
//
// The path may have been made by another user: if it leads to a pipe, the server of that pipe cannot act as the reader.
func OpenShared(path string) (*os.File, error) {
	return open(path, windows.GENERIC_READ, windows.OPEN_EXISTING, windows.SECURITY_SQOS_PRESENT|windows.SECURITY_IDENTIFICATION)
}

// openAppend opens or creates a file to append to. Others may read, write, rename and delete it meanwhile. Without
// FILE_WRITE_DATA each write goes to the end of the file. A link is [errLink], and so is a file with another name: versions of
// Windows differ in who may give it one.
func openAppend(path string) (*os.File, error) {
	const access = windows.FILE_APPEND_DATA | windows.FILE_READ_ATTRIBUTES | windows.SYNCHRONIZE
	const flags = windows.SECURITY_SQOS_PRESENT | windows.SECURITY_IDENTIFICATION
	file, err := open(path, access, windows.OPEN_ALWAYS, flags|windows.FILE_FLAG_OPEN_REPARSE_POINT)
	if err != nil {
		return nil, err
	}
	var info windows.ByHandleFileInformation
	_ = windows.GetFileInformationByHandle(windows.Handle(file.Fd()), &info) // a device has no attributes
	link := info.NumberOfLinks > 1
	if !link && info.FileAttributes&windows.FILE_ATTRIBUTE_REPARSE_POINT == 0 {
		return file, nil
	}
	if !link {
		link, err = isSurrogate(windows.Handle(file.Fd()))
	}
	if link {
		err = &os.PathError{Op: "open", Path: path, Err: errLink}
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	return open(path, access, windows.OPEN_ALWAYS, flags) // such as one that deduplication has packed
}

// isSurrogate reports whether a reparse point leads to another name: a symbolic link, or a mount point.
//
// https://learn.microsoft.com/windows/win32/fileio/reparse-point-tags
func isSurrogate(h windows.Handle) (bool, error) {
	const nameSurrogate = 1 << 29
	var info [2]uint32 // FILE_ATTRIBUTE_TAG_INFO: attributes, tag
	err := windows.GetFileInformationByHandleEx(h, windows.FileAttributeTagInfo, (*byte)(unsafe.Pointer(&info)), uint32(unsafe.Sizeof(info)))
	return err == nil && info[1]&nameSurrogate != 0, err
}

func open(path string, access, create, flags uint32) (*os.File, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	h, err := windows.CreateFile(name, access, shareAll, nil, create, windows.FILE_ATTRIBUTE_NORMAL|flags, 0)
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
