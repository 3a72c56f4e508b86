package winsys

import (
	"errors"
	"syscall"

	"golang.org/x/sys/windows"
)

// HRESULT calls a function that returns an HRESULT. What args point to stays where it is for the call if it is converted
// in the call itself.
//
//go:uintptrescapes
func HRESULT(p *windows.LazyProc, args ...uintptr) error {
	if err := p.Find(); err != nil {
		return err
	}
	r, _, _ := syscall.SyscallN(p.Addr(), args...)
	return ErrorOf(uint32(r))
}

// Errno calls a function that returns an error code, as HRESULT does.
//
//go:uintptrescapes
func Errno(p *windows.LazyProc, args ...uintptr) error {
	if err := p.Find(); err != nil {
		return err
	}
	if r, _, _ := syscall.SyscallN(p.Addr(), args...); r != 0 {
		return windows.Errno(r)
	}
	return nil
}

// Status calls a function that returns an NTSTATUS, as HRESULT does.
//
//go:uintptrescapes
func Status(p *windows.LazyProc, args ...uintptr) error {
	if err := p.Find(); err != nil {
		return err
	}
	if r, _, _ := syscall.SyscallN(p.Addr(), args...); uint32(r) != 0 {
		return windows.NTStatus(r)
	}
	return nil
}

// ErrorOf is an HRESULT as an error: of a system error code it is that code, and nil for success.
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

// IgnoreMissing makes nothing of an error that says that the object is not there.
func IgnoreMissing(err error) error {
	for _, missing := range []error{windows.ERROR_NOT_FOUND, windows.ERROR_FILE_NOT_FOUND, windows.ERROR_PATH_NOT_FOUND} {
		if errors.Is(err, missing) {
			return nil
		}
	}
	return err
}
