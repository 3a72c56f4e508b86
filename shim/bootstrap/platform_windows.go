package bootstrap

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/windows"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/internal/pipe"
)

// newAddress makes the name of a new shim's pipe. No other process can have taken it beforehand.
func newAddress(namespace, id string) string {
	return pipe.Protected + "containerd-shim-" + namespace + "-" + id + "-" + rand.Text()
}

// logAddress is the name at which containerd reads the shim's log.
func logAddress(namespace, id string) string {
	return pipe.Local + "containerd-shim-" + namespace + "-" + id + "-log"
}

// detached takes the process away from containerd's console and from its control events, so that it outlives
// containerd.
// https://learn.microsoft.com/en-us/windows/win32/procthread/process-creation-flags
func detached() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: windows.DETACHED_PROCESS | windows.CREATE_NEW_PROCESS_GROUP}
}

// systemDir is a working directory that is never removed.
func systemDir() string {
	if dir, err := windows.GetSystemDirectory(); err == nil {
		return dir
	}
	return `C:\`
}

// inUse reports whether a file could not be removed because a process has it open.
func inUse(err error) bool { return errors.Is(err, windows.ERROR_SHARING_VIOLATION) }

// openShim opens the process of a shim. The function it returns waits for the end of that process, and terminates it
// when ctx ends first.
func openShim(pid uint32) (awaitEnd func(context.Context) error, err error) {
	h, err := windows.OpenProcess(windows.SYNCHRONIZE|windows.PROCESS_TERMINATE, false, pid)
	if err != nil {
		return nil, fmt.Errorf("open process %d: %w", pid, err)
	}
	return func(ctx context.Context) error {
		defer windows.CloseHandle(h) //nolint:errcheck // it was only waited for
		bound := shutdownTimeout
		if until, ok := ctx.Deadline(); ok {
			bound = max(0, time.Until(until))
		}
		event, err := windows.WaitForSingleObject(h, uint32(bound.Milliseconds()))
		if event == windows.WAIT_OBJECT_0 {
			return nil
		}
		if err != nil {
			return fmt.Errorf("wait for process %d: %w", pid, err)
		}
		if err := windows.TerminateProcess(h, container.Killed); err != nil {
			return fmt.Errorf("terminate process %d, which did not end within %v: %w", pid, shutdownTimeout, err)
		}
		return fmt.Errorf("process %d did not end within %v and was terminated", pid, shutdownTimeout)
	}, nil
}

// watchStackdump dumps the stacks whenever the event Global\stackdump-<pid> is set, until stop is called. Containerd's
// own daemon, and Docker's, wait for an event of that name.
func watchStackdump() (stop func(), err error) {
	requested, err := stackdumpEvent(os.Getpid())
	if err != nil {
		return nil, fmt.Errorf("make the event for stack dumps: %w", err)
	}
	quit, err := windows.CreateEvent(nil, 0, 0, nil)
	if err != nil {
		_ = windows.CloseHandle(requested)
		return nil, fmt.Errorf("make the event for stack dumps: %w", err)
	}
	ended := make(chan struct{})
	go func() { // holds a thread, which does nothing
		defer close(ended)
		for {
			event, err := windows.WaitForMultipleObjects([]windows.Handle{quit, requested}, false, windows.INFINITE)
			if err != nil || event == windows.WAIT_OBJECT_0 {
				return
			}
			dumpStacks()
		}
	}()
	return func() {
		_ = windows.SetEvent(quit) // it is ours
		<-ended
		_ = windows.CloseHandle(quit)
		_ = windows.CloseHandle(requested)
	}, nil
}

// stackdumpEvent makes the event of a process, for LocalSystem and administrators. It resets itself.
func stackdumpEvent(pid int) (windows.Handle, error) {
	name, err := windows.UTF16PtrFromString(fmt.Sprintf(`Global\stackdump-%d`, pid))
	if err != nil {
		return 0, err
	}
	sa, err := pipe.SecurityAttributes(pipe.Administrators)
	if err != nil {
		return 0, err
	}
	event, err := windows.CreateEvent(sa, 0, 0, name)
	if err != nil && event != 0 {
		_ = windows.CloseHandle(event) // of another process
	}
	return event, err
}
