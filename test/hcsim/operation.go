package main

import (
	"errors"

	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/schema"
)

// operation is a caller's operation. Its other fields may be read when done is closed.
type operation struct {
	done     chan struct{}
	code     hcs.Code
	document string
	info     information
}

// information is the result of a new process: its pid and the caller's ends of its pipes, as raw handles.
type information struct {
	pid                   uint32
	stdin, stdout, stderr uintptr
}

func newOperation() uintptr {
	world.Lock()
	defer world.Unlock()
	world.last += 16
	world.operations[world.last] = &operation{done: make(chan struct{})}
	return world.last
}

func operationOf(h uintptr) *operation {
	world.Lock()
	defer world.Unlock()
	return world.operations[h]
}

func closeOperation(h uintptr) {
	world.Lock()
	defer world.Unlock()
	delete(world.operations, h)
}

// begin runs call on a new goroutine, which completes the operation.
func begin(h uintptr, call func(*operation) (string, error)) error {
	o := operationOf(h)
	if o == nil {
		return hcs.CodeWin32InvalidHandle
	}
	go func() {
		document, err := call(o)
		o.document = document
		if err != nil {
			o.code, o.document = codeOf(err), failureOf(err)
		}
		close(o.done)
	}()
	return nil
}

// codeOf is the result of an error.
func codeOf(err error) hcs.Code {
	var code hcs.Code
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return code
	case errors.Is(err, jobobject.ErrNotExist):
		return hcs.CodeWin32FileNotFound
	case errors.Is(err, jobobject.ErrNotDirectory):
		return hcs.CodeWin32BadDirectory
	case errors.Is(err, jobobject.ErrNotExecutable):
		return hcs.CodeWin32BadImage
	case errors.Is(err, jobobject.ErrExist):
		return hcs.CodeSystemAlreadyExists
	}
	return hcs.CodeAborted
}

// failureOf is the document of an error.
func failureOf(err error) string {
	return encode(schema.ResultError{Error: int32(codeOf(err)), ErrorMessage: err.Error()})
}

// encode marshals a document.
func encode(v any) string {
	text, err := schema.Marshal(v)
	if err != nil {
		panic(err) // each of these types can be encoded
	}
	return string(text)
}

// notImplemented is the error of an unsupported request.
const notImplemented = hcs.CodeNotImplemented

func refuse(*system) (string, error) { return "", notImplemented }
