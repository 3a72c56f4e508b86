package node

import (
	"errors"
	"fmt"
	"sync"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/siloshim/siloshim/jobobject"
)

// stopDescriptor lets LocalSystem, the administrators and the owner in, and nobody else.
const stopDescriptor = "D:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;OW)"

func stopName(id string) (*uint16, error) {
	return windows.UTF16PtrFromString(`Global\silo-stop/` + id)
}

// ListenStop returns a channel that [RequestStop] closes, and a function that ends the listening. A name that somebody
// listens for already is [jobobject.ErrExist].
//
// https://learn.microsoft.com/windows/win32/sync/event-objects
func ListenStop(id string) (<-chan struct{}, func(), error) {
	name, err := stopName(id)
	if err != nil {
		return nil, nil, err
	}
	sd, err := windows.SecurityDescriptorFromString(stopDescriptor)
	if err != nil {
		return nil, nil, fmt.Errorf("parse security descriptor: %w", err)
	}
	sa := windows.SecurityAttributes{SecurityDescriptor: sd}
	sa.Length = uint32(unsafe.Sizeof(sa))
	event, err := windows.CreateEvent(&sa, 1, 0, name)
	if errors.Is(err, windows.ERROR_ALREADY_EXISTS) {
		_ = windows.CloseHandle(event) // somebody else's
		return nil, nil, fmt.Errorf("listen for a stop of %s: %w", id, jobobject.ErrExist)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("listen for a stop of %s: %w", id, err)
	}
	// The kernel's pool waits, beside the program's end: a thread of ours would cost its stack for as long.
	requested, stop, err := jobobject.System().WatchExit(jobobject.Handle(event))
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("listen for a stop of %s: %w", id, err), windows.CloseHandle(event))
	}
	return requested, sync.OnceFunc(func() {
		stop()
		_ = windows.CloseHandle(event)
	}), nil
}

// RequestStop asks the supervisor of a container to stop it, and says [ErrNotFound] if there is none.
func RequestStop(id string) error {
	name, err := stopName(id)
	if err != nil {
		return err
	}
	event, err := windows.OpenEvent(windows.EVENT_MODIFY_STATE, false, name)
	if errors.Is(err, windows.ERROR_FILE_NOT_FOUND) {
		return fmt.Errorf("supervisor of %s: %w", id, ErrNotFound)
	}
	if err != nil {
		return fmt.Errorf("ask the supervisor of %s to stop: %w", id, err)
	}
	return errors.Join(windows.SetEvent(event), windows.CloseHandle(event))
}
