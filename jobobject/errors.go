package jobobject

import (
	"errors"
	"io/fs"
	"os"
)

// The sentinels are the standard library's own, so that errors.Is matches both
// them and the Win32 codes that syscall.Errno already classifies.
var (
	// ErrExist says that the name of a new job is taken.
	ErrExist = fs.ErrExist
	// ErrNotExist says that there is no such job, process or program.
	ErrNotExist = fs.ErrNotExist
	// ErrClosed says that the Job or Process was closed before or during the call.
	ErrClosed = fs.ErrClosed
	// ErrPermission says that the kernel denies access.
	ErrPermission = fs.ErrPermission
	// ErrNotSupported says that this kernel has no such facility, or keeps it off.
	ErrNotSupported = errors.ErrUnsupported
	// ErrNotDirectory says that the working directory of a process to start is not there.
	ErrNotDirectory = errors.New("no such working directory")
	// ErrNotExecutable says that the file of a process to start is no program that
	// this machine can run.
	ErrNotExecutable = errors.New("not a program for this machine")
	// ErrLimitsUnknown says that SetLimits was called on an opened job before
	// QueryLimits. That would remove limits which the creator of the job has set.
	ErrLimitsUnknown = errors.New("the limits of an opened job are unknown; read them with QueryLimits first, or set processors alone with SetAffinity")
	// ErrExited says that the process has ended already.
	ErrExited = os.ErrProcessDone
)

// Error tells which operation failed on which job. It unwraps to the cause: a
// sentinel of this package, a context error, or the code of the kernel.
type Error struct {
	Op   string // verb and noun, as in "terminate job"
	Name string // the job's name, empty for an anonymous one
	Err  error
}

func (e *Error) Error() string {
	if e.Name == "" {
		return e.Op + ": " + e.Err.Error()
	}
	return e.Op + " " + e.Name + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// fail wraps err for op, and keeps nil nil.
func fail(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Op: op, Name: name, Err: err}
}
