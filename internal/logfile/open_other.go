//go:build !windows

package logfile

import (
	"errors"
	"os"
	"syscall"
)

// OpenShared opens a file to read. Others may write, rename and delete it meanwhile.
func OpenShared(path string) (*os.File, error) { return os.Open(path) }

// openAppend opens or creates a file to append to. Others may read, write, rename and delete it meanwhile. A link is
// [errLink], and so is a file with another name.
func openAppend(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY|syscall.O_NOFOLLOW, 0o640)
	if err == nil && linked(file) {
		err = errors.Join(syscall.ELOOP, file.Close())
	}
	if errors.Is(err, syscall.ELOOP) {
		err = &os.PathError{Op: "open", Path: path, Err: errLink}
	}
	return file, err
}

// linked reports whether a file has several names.
func linked(file *os.File) bool {
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stat.Nlink > 1
}

// deletePending reports whether the file is deleted as soon as its last handle is closed. Only Windows has that.
func deletePending(handle) bool { return false }
