package node

import (
	"errors"
	"fmt"
	"sync"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/siloshim/siloshim/internal/pipe"
	"github.com/siloshim/siloshim/internal/winsys"
	"github.com/siloshim/siloshim/jobobject"
)

var (
	modntdll           = windows.NewLazySystemDLL("ntdll.dll")
	procOpenDirectory  = modntdll.NewProc("NtOpenDirectoryObject")
	procQueryDirectory = modntdll.NewProc("NtQueryDirectoryObject")
)

// directoryQuery is DIRECTORY_QUERY of wdm.h.
const directoryQuery = 0x0001

// jobType is the type name of a job in an object directory.
const jobType = "Job"

// JobNames lists the job objects of this machine whose names a container may have, as kernel paths.
func JobNames() ([]string, error) {
	root, err := jobsIn(`\`)
	if err != nil {
		return nil, err
	}
	global, err := jobsIn(`\BaseNamedObjects`)
	if err != nil {
		return nil, err
	}
	var list []string
	for _, name := range root {
		list = append(list, `\`+name)
	}
	for _, name := range global {
		list = append(list, `\BaseNamedObjects\`+name)
	}
	return list, nil
}

// jobsIn lists the jobs of one object directory. An object that comes or goes meanwhile may be in the list or not.
func jobsIn(path string) ([]string, error) {
	name, err := windows.NewNTUnicodeString(path)
	if err != nil {
		return nil, err
	}
	attributes := windows.OBJECT_ATTRIBUTES{ObjectName: name}
	attributes.Length = uint32(unsafe.Sizeof(attributes))
	var dir windows.Handle
	//	NTSTATUS NtOpenDirectoryObject(PHANDLE DirectoryHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes);
	status, _, _ := procOpenDirectory.Call(uintptr(unsafe.Pointer(&dir)), directoryQuery, uintptr(unsafe.Pointer(&attributes)))
	if status != 0 {
		return nil, fmt.Errorf("open object directory %s: %w", path, windows.NTStatus(status))
	}
	defer windows.CloseHandle(dir) //nolint:errcheck // it was only read
	list, err := readDirectory(dir)
	if err != nil {
		return nil, fmt.Errorf("read object directory %s: %w", path, err)
	}
	return list, nil
}

// readDirectory reads one entry a call: the result is then one structure.
func readDirectory(dir windows.Handle) ([]string, error) {
	buffer := make([]uint64, 4096/8) // 8-byte aligned, as the structure is; a name has at most 32 KiB and ours far less
	var list []string
	var at uint32
	for {
		var length uint32
		//	NTSTATUS NtQueryDirectoryObject(HANDLE DirectoryHandle, PVOID Buffer, ULONG Length,
		//	    BOOLEAN ReturnSingleEntry, BOOLEAN RestartScan, PULONG Context, PULONG ReturnLength);
		status, _, _ := procQueryDirectory.Call(uintptr(dir), uintptr(unsafe.Pointer(&buffer[0])), uintptr(len(buffer)*8),
			1, 0, uintptr(unsafe.Pointer(&at)), uintptr(unsafe.Pointer(&length)))
		switch err := windows.NTStatus(status); {
		case status == 0:
		case errors.Is(err, windows.STATUS_NO_MORE_ENTRIES):
			return list, nil
		case errors.Is(err, windows.STATUS_BUFFER_TOO_SMALL) && len(buffer) < 1<<14:
			buffer = make([]uint64, 2*len(buffer))
			continue
		default:
			return nil, err
		}
		base := unsafe.Pointer(&buffer[0])
		name, typeName, err := decodeEntry(unsafe.Slice((*byte)(base), len(buffer)*8), uintptr(base))
		if err != nil {
			return nil, err
		}
		if typeName == jobType {
			list = append(list, name)
		}
	}
}

func stopName(id string) (*uint16, error) {
	return windows.UTF16PtrFromString(`Global\silo-stop/` + fold(id))
}

// ListenStop returns a channel that [RequestStop] closes, and a function that ends the listening. It returns
// [jobobject.ErrExist] for a name that has a listener.
//
// https://learn.microsoft.com/windows/win32/sync/event-objects
func ListenStop(id string) (<-chan struct{}, func(), error) {
	name, err := stopName(id)
	if err != nil {
		return nil, nil, err
	}
	sa, err := pipe.SecurityAttributes(pipe.Owner)
	if err != nil {
		return nil, nil, err
	}
	event, err := windows.CreateEvent(sa, 1, 0, name)
	if errors.Is(err, windows.ERROR_ALREADY_EXISTS) {
		_ = windows.CloseHandle(event) // another listener's
		return nil, nil, fmt.Errorf("listen for a stop of %s: %w", id, jobobject.ErrExist)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("listen for a stop of %s: %w", id, err)
	}
	requested, stop, err := winsys.Watch(event)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("listen for a stop of %s: %w", id, err), windows.CloseHandle(event))
	}
	return requested, sync.OnceFunc(func() {
		stop()
		_ = windows.CloseHandle(event)
	}), nil
}

// RequestStop makes the supervisor of a container stop it. It returns [ErrNotFound] where there is no supervisor.
func RequestStop(id string) error {
	name, err := stopName(id)
	if err != nil {
		return err
	}
	event, err := windows.OpenEvent(windows.EVENT_MODIFY_STATE, false, name)
	if errors.Is(err, windows.ERROR_FILE_NOT_FOUND) {
		return fmt.Errorf("find the supervisor of %s: %w", id, ErrNotFound)
	}
	if err != nil {
		return fmt.Errorf("open the stop event of %s: %w", id, err)
	}
	return errors.Join(windows.SetEvent(event), windows.CloseHandle(event))
}
