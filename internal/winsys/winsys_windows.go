// Package winsys calls functions of Windows that return their error, and waits for handles.
package winsys

import (
	"errors"
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// HRESULT calls a function that returns an HRESULT. A pointer that is converted to uintptr in the argument list stays
// valid during the call.
//
//go:uintptrescapes
func HRESULT(p *windows.LazyProc, args ...uintptr) error {
	r, err := call(p, args...)
	if err != nil {
		return err
	}
	return ErrorOf(uint32(r))
}

// Errno calls a function that returns an error code, as HRESULT does.
//
//go:uintptrescapes
func Errno(p *windows.LazyProc, args ...uintptr) error {
	r, err := call(p, args...)
	if err == nil && r != 0 {
		err = windows.Errno(r)
	}
	return err
}

// Status calls a function that returns an NTSTATUS, as HRESULT does.
//
//go:uintptrescapes
func Status(p *windows.LazyProc, args ...uintptr) error {
	r, err := call(p, args...)
	if err == nil && uint32(r) != 0 {
		err = windows.NTStatus(r)
	}
	return err
}

//go:uintptrescapes
func call(p *windows.LazyProc, args ...uintptr) (uintptr, error) {
	if err := p.Find(); err != nil {
		return 0, err
	}
	r, _, _ := syscall.SyscallN(p.Addr(), args...)
	return r, nil
}

// Strings converts strings for calls. It fails if one contains a NUL.
func Strings(list ...string) ([]*uint16, error) {
	out := make([]*uint16, len(list))
	for i, s := range list {
		var err error
		if out[i], err = windows.UTF16PtrFromString(s); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// ErrorOf converts an HRESULT. It is nil for success, and the system error code for an HRESULT that contains one.
//
// https://learn.microsoft.com/openspecs/windows_protocols/ms-erref/0642cb2f-2075-4469-918c-4441e69c548a
func ErrorOf(hr uint32) error {
	const facilityWin32 = 0x8007
	switch {
	case int32(hr) >= 0:
		return nil
	case hr>>16 == facilityWin32:
		return windows.Errno(hr & 0xffff)
	}
	return windows.Errno(hr)
}

// IgnoreMissing returns nil for an error about an object that does not exist, and other errors as they are.
func IgnoreMissing(err error) error {
	for _, missing := range []error{windows.ERROR_NOT_FOUND, windows.ERROR_FILE_NOT_FOUND, windows.ERROR_PATH_NOT_FOUND} {
		if errors.Is(err, missing) {
			return nil
		}
	}
	return err
}

// MaxText is the maximum length of a text that a service returns, in UTF-16 units. The longest have some megabytes.
const MaxText = 64 << 20

// Text copies a text that ends with NUL. A text that is longer than MaxText is an error, and so is one without an end: it
// is not read further.
func Text(p *uint16) (string, error) { return textUpTo(p, MaxText) }

func textUpTo(p *uint16, most int) (string, error) {
	if p == nil {
		return "", nil
	}
	for n, at := 0, unsafe.Pointer(p); n <= most; n, at = n+1, unsafe.Add(at, unsafe.Sizeof(*p)) {
		if *(*uint16)(at) == 0 {
			return windows.UTF16ToString(unsafe.Slice(p, n)), nil
		}
	}
	return "", fmt.Errorf("the text of the system has more than %d characters, which is the limit", most)
}
