package jobobject

import (
	"errors"
	"io/fs"
	"os"
)

// Errors that errors.Is matches. Where the standard library has a fitting one it is
// used, because it matches the Win32 codes that syscall.Errno classifies, too.
var (
	// ErrExist means that the name of a new job is taken.
	ErrExist = fs.ErrExist
	// ErrNotExist means that there is no such job, process or program.
	ErrNotExist = fs.ErrNotExist
	// ErrClosed means that the Job, Process, Member or Console was closed before or during the call.
	ErrClosed = fs.ErrClosed
	// ErrPermission means that the kernel denies access.
	ErrPermission = fs.ErrPermission
	// ErrNotSupported means that this kernel does not have the feature, or has it switched off.
	ErrNotSupported = errors.ErrUnsupported
	// ErrNotDirectory means that the working directory of a process to start does not exist.
	ErrNotDirectory = errors.New("no such working directory")
	// ErrNotExecutable means that the file of a process to start is no program that
	// this machine can run.
	ErrNotExecutable = errors.New("not a program for this machine")
	// ErrLimitsUnknown means that SetLimits was called on an opened job before
	// QueryLimits. That would remove limits which the creator of the job has set.
	ErrLimitsUnknown = errors.New("the limits of an opened job are unknown; read them with QueryLimits first, or set processors alone with SetAffinity")
	// ErrNotSilo means that the job is no silo.
	ErrNotSilo = errors.New("the job is no silo")
	// ErrExited means that the process has ended already.
	ErrExited = os.ErrProcessDone
)

// Error is the error of an operation on a job or one of its processes. It unwraps to
// the cause: an Err variable of this package, the cause of a context, or the error
// code of the kernel.
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
