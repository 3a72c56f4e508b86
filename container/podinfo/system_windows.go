package podinfo

import (
	"errors"
	"fmt"
	"io"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/siloshim/siloshim/internal/pipe"
	"github.com/siloshim/siloshim/jobobject"
)

// System is the store of this machine. To publish there, a process needs the privilege SeCreateGlobalPrivilege, which
// services and administrators have.
//
// https://learn.microsoft.com/windows/win32/memory/creating-named-shared-memory
func System() Store { return system{} }

type system struct{}

func name(key string) (*uint16, error) { return windows.UTF16PtrFromString(`Global\silo-pod/` + key) }

func (system) Publish(key string, p Pod) (io.Closer, error) {
	content, err := Encode(p)
	if err != nil {
		return nil, err
	}
	path, err := name(key)
	if err != nil {
		return nil, err
	}
	sa, err := pipe.SecurityAttributes(jobobject.DefaultSecurityDescriptor)
	if err != nil {
		return nil, err
	}
	h, err := windows.CreateFileMapping(windows.InvalidHandle, sa, windows.PAGE_READWRITE, 0, Size, path)
	m := memory(h)
	if errors.Is(err, windows.ERROR_ALREADY_EXISTS) {
		return nil, errors.Join(fmt.Errorf("publish the pod of %s: %w", key, err), m.Close())
	}
	if err != nil {
		return nil, fmt.Errorf("publish the pod of %s: %w", key, err)
	}
	if err := m.access(windows.FILE_MAP_WRITE, content, windows.WriteProcessMemory); err != nil {
		return nil, errors.Join(fmt.Errorf("publish the pod of %s: %w", key, err), m.Close())
	}
	return m, nil
}

var procOpenFileMapping = windows.NewLazySystemDLL("kernel32.dll").NewProc("OpenFileMappingW")

func (system) Read(key string) (Pod, error) {
	path, err := name(key)
	if err != nil {
		return Pod{}, err
	}
	//	HANDLE OpenFileMappingW(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCWSTR lpName);
	h, _, err := procOpenFileMapping.Call(windows.FILE_MAP_READ, 0, uintptr(unsafe.Pointer(path)))
	if h == 0 {
		return Pod{}, fmt.Errorf("open the pod of %s: %w", key, err)
	}
	m, content := memory(h), make([]byte, Size)
	defer m.Close() //nolint:errcheck // it was only read
	if err := m.access(windows.FILE_MAP_READ, content, windows.ReadProcessMemory); err != nil {
		return Pod{}, fmt.Errorf("read the pod of %s: %w", key, err)
	}
	p, err := Decode(content)
	if err != nil {
		return Pod{}, fmt.Errorf("read the pod of %s: %w", key, err)
	}
	return p, nil
}

// memory is a handle of shared memory.
type memory windows.Handle

// access copies all of the memory from or to content. The kernel copies: memory of another program may have no pages, and
// then an access of this program would end it.
func (m memory) access(
	access uint32, content []byte, do func(windows.Handle, uintptr, *byte, uintptr, *uintptr) error,
) error {
	at, err := windows.MapViewOfFile(windows.Handle(m), access, 0, 0, Size)
	if err != nil {
		return err
	}
	return errors.Join(do(windows.CurrentProcess(), at, &content[0], Size, nil), windows.UnmapViewOfFile(at))
}

// Close implements [io.Closer].
func (m memory) Close() error { return windows.CloseHandle(windows.Handle(m)) }
