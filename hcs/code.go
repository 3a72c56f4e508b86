package hcs

import (
	"context"
	"fmt"
)

// Code is a result of the service, an HRESULT. As an error it matches, by
// errors.Is, the same code in any of the forms that the service uses: newer
// versions fail with 0x8037xxxx where older ones have 0xC037xxxx, and Win32 codes
// come bare or as 0x8007xxxx. It also matches the class that it belongs to, one of
// the errors of this package or [context.DeadlineExceeded].
//
// The constants follow Microsoft's names: CodeX is HCS_E_X or E_X, and CodeWin32X is
// the HRESULT of the Win32 error ERROR_X.
//
// https://learn.microsoft.com/virtualization/api/hcs/reference/hcshresult
type Code uint32

const (
	CodeTerminatedDuringStart   Code = 0x80370100
	CodeImageMismatch           Code = 0x80370101
	CodeHyperVNotInstalled      Code = 0x80370102
	CodeInvalidState            Code = 0x80370105
	CodeUnexpectedExit          Code = 0x80370106
	CodeTerminated              Code = 0x80370107
	CodeConnectFailed           Code = 0x80370108
	CodeConnectionTimeout       Code = 0x80370109
	CodeConnectionClosed        Code = 0x8037010A
	CodeUnknownMessage          Code = 0x8037010B
	CodeInvalidJSON             Code = 0x8037010D
	CodeSystemNotFound          Code = 0x8037010E
	CodeSystemAlreadyExists     Code = 0x8037010F
	CodeSystemAlreadyStopped    Code = 0x80370110
	CodeInvalidLayer            Code = 0x80370112
	CodeServiceNotAvailable     Code = 0x80370114
	CodeOperationPending        Code = 0x80370117
	CodeOperationTimeout        Code = 0x80370118
	CodeCallbackAlreadySet      Code = 0x80370119
	CodeAccessDenied            Code = 0x8037011B
	CodeProcessInfoNotAvailable Code = 0x8037011D
	CodeServiceDisconnect       Code = 0x8037011E
	CodeProcessAlreadyStopped   Code = 0x8037011F

	CodeNotImplemented       Code = 0x80004001 // E_NOTIMPL
	CodeAborted              Code = 0x80004004 // E_ABORT
	CodeWin32FileNotFound    Code = 0x80070002
	CodeWin32PathNotFound    Code = 0x80070003
	CodeWin32AccessDenied    Code = 0x80070005
	CodeWin32InvalidHandle   Code = 0x80070006
	CodeWin32InvalidData     Code = 0x8007000D
	CodeWin32OutOfMemory     Code = 0x8007000E
	CodeWin32NotSupported    Code = 0x80070032
	CodeWin32InvalidArgument Code = 0x80070057
	CodeWin32AlreadyExists   Code = 0x800700B7
	CodeWin32BadImage        Code = 0x800700C1 // ERROR_BAD_EXE_FORMAT
	CodeWin32BadDirectory    Code = 0x8007010B // ERROR_DIRECTORY
	CodeWin32ElementNotFound Code = 0x80070490
	CodeWin32Cancelled       Code = 0x800704C7
	CodeWin32NoResources     Code = 0x800705AA
	CodeWin32CommitLimit     Code = 0x800705AF
	CodeWin32RPCUnavailable  Code = 0x800706BA
	CodeWin32RPCFailed       Code = 0x800706BE
	oldPending               Code = 0x80370103 // what 0xC0370103 is in the newer form
)

// codes has the text and the class of each known code.
var codes = map[Code]struct {
	text  string
	class error
}{
	CodeTerminatedDuringStart:   {"the system ended while it started", ErrAborted},
	CodeImageMismatch:           {"the image is for another version of Windows", ErrInvalidState},
	CodeHyperVNotInstalled:      {"a required feature of Windows is not installed", ErrInvalidState},
	CodeInvalidState:            {"not possible in the present state", ErrInvalidState},
	CodeUnexpectedExit:          {"the system ended unexpectedly", ErrAborted},
	CodeTerminated:              {"the system was terminated", ErrAborted},
	CodeConnectFailed:           {"no connection with the system", ErrUnavailable},
	CodeConnectionTimeout:       {"the connection with the system timed out", context.DeadlineExceeded},
	CodeConnectionClosed:        {"the connection with the system was closed", ErrUnavailable},
	CodeUnknownMessage:          {"the system does not know the request", ErrNotSupported},
	CodeInvalidJSON:             {"the document is invalid", ErrInvalidArgument},
	CodeSystemNotFound:          {"no such system", ErrNotFound},
	CodeSystemAlreadyExists:     {"the system exists", ErrAlreadyExists},
	CodeSystemAlreadyStopped:    {"the system has stopped", ErrNotFound},
	CodeInvalidLayer:            {"a layer has an unknown format", ErrInvalidArgument},
	CodeServiceNotAvailable:     {"the service is not available", ErrUnavailable},
	CodeOperationPending:        {"the operation is in progress", ErrUnavailable},
	oldPending:                  {"the operation is in progress", ErrUnavailable},
	CodeOperationTimeout:        {"the operation took too long", context.DeadlineExceeded},
	CodeCallbackAlreadySet:      {"the callback is set", ErrAlreadyExists},
	CodeAccessDenied:            {"access denied", ErrAccessDenied},
	CodeProcessInfoNotAvailable: {"the service has no information about the process", ErrInvalidState},
	CodeServiceDisconnect:       {"the connection with the service was lost", ErrUnavailable},
	CodeProcessAlreadyStopped:   {"the process has exited", ErrNotFound},

	CodeNotImplemented:       {"not implemented", ErrNotSupported},
	CodeAborted:              {"aborted", ErrAborted},
	CodeWin32FileNotFound:    {"file not found", ErrNotFound},
	CodeWin32PathNotFound:    {"path not found", ErrNotFound},
	CodeWin32AccessDenied:    {"access denied", ErrAccessDenied},
	CodeWin32InvalidHandle:   {"the handle is invalid", ErrInvalidState},
	CodeWin32InvalidData:     {"the data is invalid", ErrInvalidArgument},
	CodeWin32OutOfMemory:     {"out of memory", ErrNoResources},
	CodeWin32NotSupported:    {"not supported", ErrNotSupported},
	CodeWin32InvalidArgument: {"the parameter is incorrect", ErrInvalidArgument},
	CodeWin32AlreadyExists:   {"it exists", ErrAlreadyExists},
	CodeWin32BadImage:        {"not a program for this machine", ErrInvalidArgument},
	CodeWin32BadDirectory:    {"no such working directory", ErrNotFound},
	CodeWin32ElementNotFound: {"not found", ErrNotFound},
	CodeWin32Cancelled:       {"cancelled", ErrAborted},
	CodeWin32NoResources:     {"not enough system resources", ErrNoResources},
	CodeWin32CommitLimit:     {"the commit limit is reached", ErrNoResources},
	CodeWin32RPCUnavailable:  {"the service is not available", ErrUnavailable},
	CodeWin32RPCFailed:       {"the call of the service broke off", ErrUnavailable},
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
	return target == codes[own].class || target == ErrExited && own == CodeProcessAlreadyStopped
}

// Failed reports whether c is an error and not a success.
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
