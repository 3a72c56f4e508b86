package bootstrap

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sys/windows"
)

// watch returns what waits for the end of a shim and, if that does not come before ctx is done, brings it about.
func watch(pid uint32) (func(context.Context) error, error) {
	h, err := windows.OpenProcess(windows.SYNCHRONIZE|windows.PROCESS_TERMINATE, false, pid)
	if err != nil {
		return nil, fmt.Errorf("open process %d: %w", pid, err)
	}
	return func(ctx context.Context) error {
		defer windows.CloseHandle(h) //nolint:errcheck // it was only waited for
		bound := uint32(livingTimeout.Milliseconds())
		if until, ok := ctx.Deadline(); ok {
			bound = uint32(max(0, time.Until(until)).Milliseconds())
		}
		event, err := windows.WaitForSingleObject(h, bound)
		if event == windows.WAIT_OBJECT_0 {
			return nil
		}
		if err != nil {
			return fmt.Errorf("wait for the shim: %w", err)
		}
		if err := windows.TerminateProcess(h, killed); err != nil {
			return fmt.Errorf("the shim does not end: terminate it: %w", err)
		}
		return fmt.Errorf("the shim did not end and was terminated")
	}, nil
}
