// Package winsys calls functions of Windows that return their error.
package winsys

import (
	"errors"
	"syscall"

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
