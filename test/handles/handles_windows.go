package handles

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

var (
	modntdll          = windows.NewLazySystemDLL("ntdll.dll")
	procNtQueryObject = modntdll.NewProc("NtQueryObject")
)

// Counts has the number of handles of each type, such as "File", "Job" or "Process".
type Counts map[string]int

// runtimeTypes are the types of handles that the Go runtime opens and keeps for each thread: the thread, and the events and
// timers that it waits with. The number of threads depends on the load of the machine.
var runtimeTypes = map[string]bool{"Thread": true, "Event": true, "Timer": true}

// Threads is the number of handles of the process's threads.
func (c Counts) Threads() (n int) {
	for name := range runtimeTypes {
		n += c[name]
	}
	return n
}

// Others has the counts of the other types.
func (c Counts) Others() Counts {
	others := Counts{}
	for name, n := range c {
		if !runtimeTypes[name] {
			others[name] = n
		}
	}
	return others
}

// Above has the counts of c that are higher than those of before, or nil.
func (c Counts) Above(before Counts) (above Counts) {
	for name, n := range c {
		if more := n - before[name]; more > 0 {
			if above == nil {
				above = Counts{}
			}
			above[name] = more
		}
	}
	return above
}

// Of counts the handles of the process pid. A handle that is closed meanwhile may be missing from the counts.
func Of(pid uint32) (Counts, error) {
	process, err := windows.OpenProcess(windows.PROCESS_DUP_HANDLE, false, pid)
	if err != nil {
		return nil, fmt.Errorf("open process %d: %w", pid, err)
	}
	defer windows.CloseHandle(process) //nolint:errcheck // it was only queried
	list, err := systemHandles()
	if err != nil {
		return nil, err
	}
	counts := Counts{}
	for _, h := range list {
		if h.pid != uintptr(pid) {
			continue
		}
		name, err := typeOf(process, windows.Handle(h.handle))
		if errors.Is(err, windows.ERROR_INVALID_HANDLE) { // closed since
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("query type of handle %#x of process %d: %w", h.handle, pid, err)
		}
		counts[name]++
	}
	return counts, nil
}

// systemHandle is SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX. The list of them follows their number and a reserved word.
type systemHandle struct {
	object, pid, handle   uintptr
	access                uint32
	backtrace, objectType uint16
	attributes, reserved  uint32
}

// systemHandles lists the handles of all processes. Wine implements no other query for those of another process.
//
// https://learn.microsoft.com/windows/win32/api/winternl/nf-winternl-ntquerysysteminformation
func systemHandles() ([]systemHandle, error) {
	const head = 2 * unsafe.Sizeof(uintptr(0))
	list := make([]uintptr, 1<<14)
	for {
		size := uint32(len(list)) * uint32(unsafe.Sizeof(list[0]))
		err := windows.NtQuerySystemInformation(windows.SystemExtendedHandleInformation, unsafe.Pointer(&list[0]), size, nil)
		if err == nil {
			break
		}
		if !errors.Is(err, windows.STATUS_INFO_LENGTH_MISMATCH) || len(list) > 1<<24 {
			return nil, fmt.Errorf("list handles in %d words: %w", len(list), err)
		}
		list = make([]uintptr, 2*len(list))
	}
	first := (*systemHandle)(unsafe.Add(unsafe.Pointer(&list[0]), head))
	return unsafe.Slice(first, list[0]), nil
}

// typeOf is the type of a handle in another process, or in this one.
//
//	NTSTATUS NtQueryObject(HANDLE Handle, OBJECT_INFORMATION_CLASS ObjectInformationClass, PVOID ObjectInformation,
//	    ULONG ObjectInformationLength, PULONG ReturnLength);
//
// https://learn.microsoft.com/windows/win32/api/winternl/nf-winternl-ntqueryobject
func typeOf(process, handle windows.Handle) (string, error) {
	const objectTypeInformation = 2 // PUBLIC_OBJECT_TYPE_INFORMATION begins with the name, which follows the structure
	var h windows.Handle
	if err := windows.DuplicateHandle(process, handle, windows.CurrentProcess(), &h, 0, false, 0); err != nil {
		return "", err
	}
	defer windows.CloseHandle(h) //nolint:errcheck // it was only queried
	var info struct {
		name windows.NTUnicodeString
		rest [512]byte
	}
	status, _, _ := procNtQueryObject.Call(uintptr(h), objectTypeInformation,
		uintptr(unsafe.Pointer(&info)), unsafe.Sizeof(info), 0)
	if status != 0 {
		return "", windows.NTStatus(status)
	}
	return info.name.String(), nil
}
