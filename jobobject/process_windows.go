package jobobject

import (
	"errors"
	"fmt"

	"golang.org/x/sys/windows"
)

func (system) OpenProcess(pid uint32, access ProcessAccess) (Handle, error) {
	h, err := windows.OpenProcess(uint32(access), false, pid)
	if errors.Is(err, windows.ERROR_INVALID_PARAMETER) {
		// The kernel's way to say that nothing has this pid.
		return 0, fmt.Errorf("%w: %w", ErrNotExist, err)
	}
	return Handle(h), err
}

func (system) TerminateProcess(process Handle, code uint32) error {
	return windows.TerminateProcess(windows.Handle(process), code)
}

// The handle's state decides, not the code: 259, the code that stands for "still
// active", is one that a program may well end with.
func (system) ExitCode(process Handle) (code uint32, exited bool, err error) {
	event, err := windows.WaitForSingleObject(windows.Handle(process), 0)
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		// Opened without the right to wait, as for statistics.
		err = windows.GetExitCodeProcess(windows.Handle(process), &code)
		const stillActive = 259
		return code, err == nil && code != stillActive, err
	}
	if err != nil || event == uint32(windows.WAIT_TIMEOUT) {
		return 0, false, err
	}
	err = windows.GetExitCodeProcess(windows.Handle(process), &code)
	return code, err == nil, err
}
