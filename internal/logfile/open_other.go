//go:build !windows

package logfile

import "os"

// OpenShared opens a file to read. Others may write, rename and delete it meanwhile.
func OpenShared(path string) (*os.File, error) { return os.Open(path) }

// openAppend opens or creates a file to append to. Others may read, write, rename and delete it meanwhile.
func openAppend(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640)
}

// deletePending reports whether the file is deleted as soon as its last handle is closed. Only Windows has that.
func deletePending(handle) bool { return false }
