package hcs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/siloshim/siloshim/schema"
)

var (
	// ErrClosed means that the System or Process was closed before or during the call.
	ErrClosed = fs.ErrClosed
	// ErrExited means that the process has ended already.
	ErrExited = os.ErrProcessDone
	// ErrNoExitCode means that the service has no such process any more and reports no exit code.
	ErrNoExitCode = errors.New("the service reports no exit code")
)

// The classes of codes: errors.Is(err, ErrNotFound) holds for every [Code] that
// means that something is missing. The class of a timeout is
// [context.DeadlineExceeded].
var (
	// ErrNotFound means that the system, process, program or path does not exist, or has ended.
	ErrNotFound = errors.New("not found")
	// ErrAlreadyExists means that the id of the system is in use.
	ErrAlreadyExists = errors.New("already exists")
	// ErrInvalidArgument means that the service refuses the document.
	ErrInvalidArgument = errors.New("invalid argument")
	// ErrInvalidState means that the system, the process or the host is in no state for the call.
	ErrInvalidState = errors.New("invalid state")
	// ErrAccessDenied means that the caller lacks a right.
	ErrAccessDenied = errors.New("access denied")
	// ErrNoResources means that memory or another resource of the host is used up.
	ErrNoResources = errors.New("insufficient resources")
	// ErrAborted means that the system ended, or the call was cancelled, before it was done.
	ErrAborted = errors.New("aborted")
	// ErrUnavailable means that the service does not run on this host, or is lost.
	ErrUnavailable = errors.New("unavailable")
	// ErrNotSupported means that the service or the operating system has no such function.
	ErrNotSupported = errors.ErrUnsupported
)

// Error has the operation that failed, its object, and the report of the service. It
// unwraps to a [Code], a context error, or an error of this package.
//
// It has no text that may repeat the request: no data of events, and for the
// creation of a process no messages of the service.
type Error struct {
	Op      string // verb and noun, as in "start system"
	ID      string // the system's id, empty for an operation of the service
	Pid     uint32 // the process concerned, or 0
	Err     error
	Message string              // the service's own, or empty
	Events  []schema.ErrorEvent // in the order they happened
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.ID != "" {
		b.WriteString(" " + e.ID)
	}
	if e.Pid != 0 {
		fmt.Fprintf(&b, ": process %d", e.Pid)
	}
	b.WriteString(": " + e.Err.Error())
	for _, event := range e.Events {
		if text := strings.TrimSpace(event.Message); text != "" {
			b.WriteString(": " + text)
		}
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// subject is what an operation is done to, for errors.
type subject struct {
	id     string
	pid    uint32
	secret bool // the request has a command line and an environment
}

// fail wraps err for op on who, and keeps nil nil.
func (who subject) fail(op string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}
	e := &Error{Op: op, ID: who.id, Pid: who.pid, Err: err}
	if f, ok := errors.AsType[*Failure](err); ok {
		e.Err = f.Code
		e.explain(f.Document, who.secret)
	}
	return e
}

// explain takes the report from document. An invalid one adds nothing.
func (e *Error) explain(document string, secret bool) {
	var r schema.ResultError
	if document == "" || schema.Unmarshal([]byte(document), &r) != nil {
		return
	}
	if !secret {
		e.Message = r.ErrorMessage
	}
	for _, event := range r.ErrorEvents {
		event.Unknown, event.StackTrace = nil, ""
		if secret {
			event.Message = ""
		}
		e.Events = append(e.Events, event)
	}
}
