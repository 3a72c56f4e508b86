package jobobject

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

var (
	modbindfltapi = windows.NewLazySystemDLL("bindfltapi.dll")

	procBfSetupFilter   = modbindfltapi.NewProc("BfSetupFilter")
	procBfRemoveMapping = modbindfltapi.NewProc("BfRemoveMapping")
)

// Flags of BfSetupFilter.
const (
	bindReadOnly    = 0x1
	bindMerged      = 0x2
	bindCurrentSilo = 0x4
)

// The class takes no structure, and no job that has a member. hcsshim promotes the jobs of its job containers before it sets
// their limits (PromoteToSilo of its internal/jobobject). It does not promote those without a root file system.
func (system) CreateSilo(job Handle) error {
	return unknownClass(setJobBytes(job, classCreateSilo, nil, 0))
}

// Of a job that is no silo the query fails, which is how hcsshim tells silos (isJobSilo of its internal/jobobject).
func (system) Silo(job Handle) (Silo, error) {
	var info siloBasic
	err := queryJob(job, classSiloBasic, &info)
	return info.silo(), notSilo(err)
}

func (system) ServerSilo(job Handle) (ServerSilo, error) {
	var (
		info serverSiloBasic
		err  error
	)
	for _, size := range serverSiloSizes {
		err = queryJobBytes(job, classServerSiloBasic, unsafe.Pointer(&info), size)
		if !errors.Is(err, windows.ERROR_BAD_LENGTH) {
			break
		}
	}
	return info.serverSilo(), notSilo(err)
}

// notSilo tells a job that is no silo from a kernel that knows none.
func notSilo(err error) error {
	if errors.Is(err, windows.ERROR_JOB_NO_CONTAINER) {
		return fmt.Errorf("%w: %w", ErrNotSilo, err)
	}
	return unknownClass(err)
}

// HRESULT BfSetupFilter(HANDLE JobHandle, ULONG Flags, LPCWSTR VirtualizationRootPath,
// LPCWSTR VirtualizationTargetPath, LPCWSTR *VirtualizationExceptionPaths, ULONG VirtualizationExceptionPathCount)
func (system) Bind(silo Handle, m *Mapping) error {
	root, target, err := mappingPaths(m.Root, m.Target)
	if err != nil {
		return err
	}
	flags := uintptr(bindCurrentSilo)
	if m.ReadOnly {
		flags |= bindReadOnly
	}
	if m.Merged {
		flags |= bindMerged
	}
	if err := procBfSetupFilter.Find(); err != nil {
		return fmt.Errorf("%w: %w", ErrNotSupported, err)
	}
	r, _, _ := syscall.SyscallN(procBfSetupFilter.Addr(), uintptr(silo), flags,
		uintptr(unsafe.Pointer(root)), uintptr(unsafe.Pointer(target)), 0, 0)
	return hresult(r)
}

// HRESULT BfRemoveMapping(HANDLE JobHandle, LPCWSTR VirtualizationPath)
func (system) Unbind(silo Handle, root string) error {
	rootp, err := windows.UTF16PtrFromString(root)
	if err != nil {
		return err
	}
	if err := procBfRemoveMapping.Find(); err != nil {
		return fmt.Errorf("%w: %w", ErrNotSupported, err)
	}
	r, _, _ := syscall.SyscallN(procBfRemoveMapping.Addr(), uintptr(silo), uintptr(unsafe.Pointer(rootp)))
	return hresult(r)
}

func mappingPaths(root, target string) (rootp, targetp *uint16, err error) {
	if rootp, err = windows.UTF16PtrFromString(root); err != nil {
		return nil, nil, err
	}
	// The filter takes the name of a volume only with the backslash of its root.
	if strings.Contains(target, "Volume{") && strings.HasSuffix(target, "}") {
		target += `\`
	}
	targetp, err = windows.UTF16PtrFromString(target)
	return rootp, targetp, err
}

// hresult is nil for success. Codes that wrap a Win32 code become that one, so
// that they match the sentinels.
func hresult(r uintptr) error {
	const win32, mask = 0x80070000, 0xFFFF0000
	switch code := uint32(r); {
	case int32(code) >= 0:
		return nil
	case code&mask == win32:
		return windows.Errno(code & 0xFFFF)
	default:
		return windows.Errno(code)
	}
}
