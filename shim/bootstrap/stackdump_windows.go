package bootstrap

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

// stackdumpSDDL lets the system and administrators ask, and nobody else.
const stackdumpSDDL = "D:P(A;;GA;;;SY)(A;;GA;;;BA)"

// watchStackdump dumps the stacks whenever the event Global\stackdump-<pid> is set, until stop is called. Containerd's
// own daemon, and Docker's, listen to an event of that name.
func watchStackdump() (stop func(), err error) {
	asked, err := stackdumpEvent(os.Getpid())
	if err != nil {
		return nil, fmt.Errorf("make the event for stack dumps: %w", err)
	}
	quit, err := windows.CreateEvent(nil, 0, 0, nil)
	if err != nil {
		_ = windows.CloseHandle(asked)
		return nil, fmt.Errorf("make the event for stack dumps: %w", err)
	}
	ended := make(chan struct{})
	go func() { // holds a thread, which does nothing
		defer close(ended)
		for {
			event, err := windows.WaitForMultipleObjects([]windows.Handle{quit, asked}, false, windows.INFINITE)
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
		_ = windows.CloseHandle(asked)
	}, nil
}

// stackdumpEvent makes the event of a process. It resets itself.
func stackdumpEvent(pid int) (windows.Handle, error) {
	name, err := windows.UTF16PtrFromString(fmt.Sprintf(`Global\stackdump-%d`, pid))
	if err != nil {
		return 0, err
	}
	sd, err := windows.SecurityDescriptorFromString(stackdumpSDDL)
	if err != nil {
		return 0, err
	}
	sa := &windows.SecurityAttributes{SecurityDescriptor: sd}
	sa.Length = uint32(unsafe.Sizeof(*sa))
	return windows.CreateEvent(sa, 0, 0, name)
}
