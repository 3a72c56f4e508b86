package hcs

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/containerd/errdefs"
)

// Code is a result of the service, an HRESULT. As an error it matches, by
// errors.Is, the same code in any of the forms that the service uses: newer
// versions fail with 0x8037xxxx where older ones have 0xC037xxxx, and Win32 codes
// come bare or as 0x8007xxxx. It matches the error class it belongs to, also.
//
// https://learn.microsoft.com/virtualization/api/hcs/reference/hcshresult
type Code uint32

const (
	TerminatedDuringStart   Code = 0x80370100
	ImageMismatch           Code = 0x80370101
	HyperVNotInstalled      Code = 0x80370102
	InvalidState            Code = 0x80370105
	UnexpectedExit          Code = 0x80370106
	Terminated              Code = 0x80370107
	ConnectFailed           Code = 0x80370108
	ConnectionTimeout       Code = 0x80370109
	ConnectionClosed        Code = 0x8037010A
	UnknownMessage          Code = 0x8037010B
	InvalidJSON             Code = 0x8037010D
	SystemNotFound          Code = 0x8037010E
	SystemAlreadyExists     Code = 0x8037010F
	SystemAlreadyStopped    Code = 0x80370110
	InvalidLayer            Code = 0x80370112
	ServiceNotAvailable     Code = 0x80370114
	OperationPending        Code = 0x80370117
	OperationTimeout        Code = 0x80370118
	CallbackAlreadySet      Code = 0x80370119
	AccessDenied            Code = 0x8037011B
	ProcessInfoNotAvailable Code = 0x8037011D
	ServiceDisconnect       Code = 0x8037011E
	ProcessAlreadyStopped   Code = 0x8037011F

	NotImplemented  Code = 0x80004001 // E_NOTIMPL
	Aborted         Code = 0x80004004 // E_ABORT
	FileNotFound    Code = 0x80070002
	PathNotFound    Code = 0x80070003
	Win32Denied     Code = 0x80070005
	InvalidHandle   Code = 0x80070006
	InvalidData     Code = 0x8007000D
	OutOfMemory     Code = 0x8007000E
	NotSupported    Code = 0x80070032
	InvalidArgument Code = 0x80070057
	AlreadyExists   Code = 0x800700B7
	BadImage        Code = 0x800700C1 // ERROR_BAD_EXE_FORMAT
	BadDirectory    Code = 0x8007010B // ERROR_DIRECTORY
	ElementNotFound Code = 0x80070490
	Cancelled       Code = 0x800704C7
	NoResources     Code = 0x800705AA
	CommitLimit     Code = 0x800705AF
	RPCUnavailable  Code = 0x800706BA
	RPCFailed       Code = 0x800706BE
	oldPending      Code = 0x80370103 // what 0xC0370103 is in the newer form
)

// codes has a text and a class for every code that means something to us.
var codes = map[Code]struct {
	text  string
	class error
}{
	TerminatedDuringStart:   {"the system ended while it started", errdefs.ErrAborted},
	ImageMismatch:           {"the image is for another version of Windows", errdefs.ErrFailedPrecondition},
	HyperVNotInstalled:      {"a required feature of Windows is not installed", errdefs.ErrFailedPrecondition},
	InvalidState:            {"not possible in the present state", errdefs.ErrFailedPrecondition},
	UnexpectedExit:          {"the system ended unexpectedly", errdefs.ErrAborted},
	Terminated:              {"the system was terminated", errdefs.ErrAborted},
	ConnectFailed:           {"no connection with the system", errdefs.ErrUnavailable},
	ConnectionTimeout:       {"the system does not answer", context.DeadlineExceeded},
	ConnectionClosed:        {"the connection with the system was closed", errdefs.ErrUnavailable},
	UnknownMessage:          {"the system does not know the request", errdefs.ErrNotImplemented},
	InvalidJSON:             {"the document is invalid", errdefs.ErrInvalidArgument},
	SystemNotFound:          {"no such system", errdefs.ErrNotFound},
	SystemAlreadyExists:     {"the system exists", errdefs.ErrAlreadyExists},
	SystemAlreadyStopped:    {"the system has stopped", errdefs.ErrNotFound},
	InvalidLayer:            {"a layer has an unknown format", errdefs.ErrInvalidArgument},
	ServiceNotAvailable:     {"the service is not available", errdefs.ErrUnavailable},
	OperationPending:        {"the operation is under way", errdefs.ErrUnavailable},
	oldPending:              {"the operation is under way", errdefs.ErrUnavailable},
	OperationTimeout:        {"the operation took too long", context.DeadlineExceeded},
	CallbackAlreadySet:      {"the callback is set", errdefs.ErrAlreadyExists},
	AccessDenied:            {"access denied", errdefs.ErrPermissionDenied},
	ProcessInfoNotAvailable: {"nothing is known of the process", errdefs.ErrFailedPrecondition},
	ServiceDisconnect:       {"the service is gone", errdefs.ErrUnavailable},
	ProcessAlreadyStopped:   {"the process has exited", errdefs.ErrNotFound},

	NotImplemented:  {"not implemented", errdefs.ErrNotImplemented},
	Aborted:         {"aborted", errdefs.ErrAborted},
	FileNotFound:    {"file not found", errdefs.ErrNotFound},
	PathNotFound:    {"path not found", errdefs.ErrNotFound},
	Win32Denied:     {"access denied", errdefs.ErrPermissionDenied},
	InvalidHandle:   {"the handle is invalid", errdefs.ErrFailedPrecondition},
	InvalidData:     {"the data is invalid", errdefs.ErrInvalidArgument},
	OutOfMemory:     {"out of memory", errdefs.ErrResourceExhausted},
	NotSupported:    {"not supported", errdefs.ErrNotImplemented},
	InvalidArgument: {"the parameter is incorrect", errdefs.ErrInvalidArgument},
	AlreadyExists:   {"it exists", errdefs.ErrAlreadyExists},
	BadImage:        {"not a program for this machine", errdefs.ErrInvalidArgument},
	BadDirectory:    {"no such working directory", errdefs.ErrNotFound},
	ElementNotFound: {"not found", errdefs.ErrNotFound},
	Cancelled:       {"cancelled", errdefs.ErrAborted},
	NoResources:     {"not enough system resources", errdefs.ErrResourceExhausted},
	CommitLimit:     {"the commit limit is reached", errdefs.ErrResourceExhausted},
	RPCUnavailable:  {"the service is not available", errdefs.ErrUnavailable},
	RPCFailed:       {"the call of the service broke off", errdefs.ErrUnavailable},
}

func (c Code) Error() string {
	if known, ok := codes[c.canonical()]; ok {
		return fmt.Sprintf("%s (0x%08x)", known.text, uint32(c))
	}
	return fmt.Sprintf("compute service error 0x%08x", uint32(c))
}

// Is implements the matching of errors.Is.
func (c Code) Is(target error) bool {
	if t, ok := target.(Code); ok {
		return c.canonical() == t.canonical()
	}
	own := c.canonical()
	switch target {
	case os.ErrProcessDone:
		return own == ProcessAlreadyStopped
	case errors.ErrUnsupported:
		return codes[own].class == errdefs.ErrNotImplemented
	case nil:
		return false
	}
	return codes[own].class == target
}

// Failed tells whether c is a failure at all.
func (c Code) Failed() bool { return int32(c) < 0 }

// canonical is the one of c's forms that the constants have.
func (c Code) canonical() Code {
	switch {
	case c&^0x40000000>>16 == 0x8037:
		return c &^ 0x40000000
	case c != 0 && c < 0x10000:
		return 0x80070000 | c
	}
	return c
}
