package jobobject

import (
	"errors"
	"fmt"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/siloshim/siloshim/internal/winsys"
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

// Of a job that is no silo the query fails, which is how hcsshim recognizes silos (isJobSilo of its internal/jobobject).
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

// notSilo distinguishes a job that is no silo from a kernel without silos.
func notSilo(err error) error {
	if errors.Is(err, windows.ERROR_JOB_NO_CONTAINER) {
		return fmt.Errorf("%w: %w", ErrNotSilo, err)
	}
	return unknownClass(err)
}

// HRESULT BfSetupFilter(HANDLE JobHandle, ULONG Flags, LPCWSTR VirtualizationRootPath,
// LPCWSTR VirtualizationTargetPath, LPCWSTR *VirtualizationExceptionPaths, ULONG VirtualizationExceptionPathCount)
func (system) Bind(silo Handle, m *Mapping) error {
	target := m.Target
	// The filter takes the name of a volume only with the backslash of its root.
	if strings.Contains(target, "Volume{") && strings.HasSuffix(target, "}") {
		target += `\`
	}
	paths, err := winsys.Strings(m.Root, target)
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
	return supported(winsys.HRESULT(procBfSetupFilter, uintptr(silo), flags,
		uintptr(unsafe.Pointer(paths[0])), uintptr(unsafe.Pointer(paths[1])), 0, 0))
}

// HRESULT BfRemoveMapping(HANDLE JobHandle, LPCWSTR VirtualizationPath)
func (system) Unbind(silo Handle, root string) error {
	rootp, err := windows.UTF16PtrFromString(root)
	if err != nil {
		return err
	}
	return supported(winsys.HRESULT(procBfRemoveMapping, uintptr(silo), uintptr(unsafe.Pointer(rootp))))
}
