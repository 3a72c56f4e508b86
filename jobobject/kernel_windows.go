package jobobject

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

var (
	modkernel32 = windows.NewLazySystemDLL("kernel32.dll")
	modntdll    = windows.NewLazySystemDLL("ntdll.dll")

	procCreateJobObjectW          = modkernel32.NewProc("CreateJobObjectW")
	procOpenJobObjectW            = modkernel32.NewProc("OpenJobObjectW")
	procIsProcessInJob            = modkernel32.NewProc("IsProcessInJob")
	procQueryInformationJobObject = modkernel32.NewProc("QueryInformationJobObject")
	procSetInformationJobObject   = modkernel32.NewProc("SetInformationJobObject")
	procNtCreateJobObject         = modntdll.NewProc("NtCreateJobObject")
	procNtOpenJobObject           = modntdll.NewProc("NtOpenJobObject")
)

func (system) CreateJob(name, securityDescriptor string) (Handle, error) {
	sd, err := windows.SecurityDescriptorFromString(securityDescriptor)
	if err != nil {
		return 0, fmt.Errorf("parse security descriptor: %w", err)
	}
	if strings.HasPrefix(name, `\`) {
		return callNtJob(procNtCreateJobObject, name, AccessAll, sd)
	}
	var namep *uint16
	if name != "" {
		if namep, err = windows.UTF16PtrFromString(name); err != nil {
			return 0, err
		}
	}
	sa := windows.SecurityAttributes{SecurityDescriptor: sd}
	sa.Length = uint32(unsafe.Sizeof(sa))
	// HANDLE CreateJobObjectW(LPSECURITY_ATTRIBUTES lpJobAttributes, LPCWSTR lpName)
	// https://learn.microsoft.com/windows/win32/api/jobapi2/nf-jobapi2-createjobobjectw
	//
	// x/sys drops the last error of a call that succeeded. It is the only sign that the
	// name was in use.
	r, _, e := syscall.SyscallN(procCreateJobObjectW.Addr(), uintptr(unsafe.Pointer(&sa)), uintptr(unsafe.Pointer(namep)))
	switch {
	case r == 0 && e == windows.ERROR_INVALID_HANDLE:
		return 0, fmt.Errorf("%w: the name is that of another kind of object", ErrExist)
	case r == 0:
		return 0, e
	case e == windows.ERROR_ALREADY_EXISTS:
		return 0, errors.Join(e, windows.CloseHandle(windows.Handle(r)))
	}
	return Handle(r), nil
}

func (system) OpenJob(name string, access Access) (Handle, error) {
	if strings.HasPrefix(name, `\`) {
		return callNtJob(procNtOpenJobObject, name, access, nil)
	}
	namep, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return 0, err
	}
	// HANDLE OpenJobObjectW(DWORD dwDesiredAccess, BOOL bInheritHandle, LPCWSTR lpName)
	// https://learn.microsoft.com/windows/win32/api/jobapi2/nf-jobapi2-openjobobjectw
	r, _, e := syscall.SyscallN(procOpenJobObjectW.Addr(), uintptr(access), 0, uintptr(unsafe.Pointer(namep)))
	if r == 0 {
		return 0, e
	}
	return Handle(r), nil
}

// callNtJob calls one of two functions of the same shape, which take names that
// Win32 cannot express: the jobs of Windows Server containers are outside of
// \BaseNamedObjects. hcsshim opens \Container_<id> so, as LocalSystem; what an
// administrator may open there is not known.
//
//	NTSTATUS NtCreateJobObject(PHANDLE, ACCESS_MASK, POBJECT_ATTRIBUTES)
//	NTSTATUS NtOpenJobObject(PHANDLE, ACCESS_MASK, POBJECT_ATTRIBUTES)
func callNtJob(proc *windows.LazyProc, name string, access Access, sd *windows.SECURITY_DESCRIPTOR) (Handle, error) {
	path, err := windows.NewNTUnicodeString(name)
	if err != nil {
		return 0, err
	}
	attributes := windows.OBJECT_ATTRIBUTES{
		ObjectName:         path,
		Attributes:         windows.OBJ_CASE_INSENSITIVE,
		SecurityDescriptor: sd,
	}
	attributes.Length = uint32(unsafe.Sizeof(attributes))
	var h windows.Handle
	r, _, _ := syscall.SyscallN(proc.Addr(), uintptr(unsafe.Pointer(&h)), uintptr(access), uintptr(unsafe.Pointer(&attributes)))
	if status := windows.NTStatus(r); status != windows.STATUS_SUCCESS {
		return 0, status.Errno()
	}
	return Handle(h), nil
}

func (system) CloseHandle(h Handle) error { return windows.CloseHandle(windows.Handle(h)) }

func (system) AssignProcess(job, process Handle) error {
	return windows.AssignProcessToJobObject(windows.Handle(job), windows.Handle(process))
}

func (system) TerminateJob(job Handle, code uint32) error {
	if attachment.lock() {
		defer attachment.unlock()
	}
	return windows.TerminateJobObject(windows.Handle(job), code)
}

// BOOL IsProcessInJob(HANDLE ProcessHandle, HANDLE JobHandle, PBOOL Result)
//
// https://learn.microsoft.com/windows/win32/api/jobapi/nf-jobapi-isprocessinjob
func (system) IsProcessInJob(process, job Handle) (bool, error) {
	var member int32
	r, _, e := syscall.SyscallN(procIsProcessInJob.Addr(), uintptr(process), uintptr(job), uintptr(unsafe.Pointer(&member)))
	if r == 0 {
		return false, e
	}
	return member != 0, nil
}

// idLists keeps the buffers of ProcessIDs, which is called for each sample.
var idLists = sync.Pool{New: func() any { return new([]uint64) }}

func (system) ProcessIDs(job Handle, pids []uint32) (listed, assigned int, err error) {
	buffer := idLists.Get().(*[]uint64)
	defer idLists.Put(buffer)
	// The kernel takes no list without room for one process.
	room := idListRoom(max(1, len(pids)))
	*buffer = slices.Grow((*buffer)[:0], room)
	words := (*buffer)[:room]
	clear(words)
	err = queryJobBytes(job, classProcessIDList, unsafe.Pointer(&words[0]), uintptr(len(words))*8)
	if err != nil && !errors.Is(err, windows.ERROR_MORE_DATA) {
		return 0, 0, err
	}
	listed, assigned = readProcessIDs(words, pids)
	return listed, assigned, nil
}

func (system) Accounting(job Handle) (Accounting, error) {
	var info basicAccounting
	err := queryJob(job, classBasicAccounting, &info)
	return info.accounting(), err
}

func (system) IOCounters(job Handle) (IOCounters, error) {
	var info basicAndIOAccounting
	err := queryJob(job, classBasicAndIOAccounting, &info)
	return info.IO.counters(), unknownClass(err)
}

// hcsshim's tests ask a job that is no silo for this class, as an administrator: TestJobStats of its internal/jobobject,
// which its CI runs on Server 2022.
func (system) MemoryUsage(job Handle) (MemoryUsage, error) {
	var info memoryUsage
	err := queryJob(job, classMemoryUsage, &info)
	return MemoryUsage{Commit: info.JobMemory, PeakCommit: info.PeakJobMemoryUsed}, unknownClass(err)
}

func (system) IOAttribution(job Handle) (IOAttribution, error) {
	var info ioAttributionInformation
	err := queryJob(job, classIOAttribution, &info)
	return info.attribution(), unknownClass(err)
}

// hcsshim's tests switch it on for a job that is no silo and has a member, as an administrator: TestIOTracking of its
// internal/jobobject. Before that a query returns ERROR_NOT_FOUND.
func (system) EnableIOAttribution(job Handle) error {
	info := ioAttributionInformation{ControlFlags: ioAttributionEnable}
	return unknownClass(setJob(job, classIOAttribution, &info))
}

func queryJob[T any](job Handle, class uint32, info *T) error {
	return queryJobBytes(job, class, unsafe.Pointer(info), unsafe.Sizeof(*info))
}

// BOOL QueryInformationJobObject(HANDLE hJob, JOBOBJECTINFOCLASS JobObjectInformationClass,
// LPVOID lpJobObjectInformation, DWORD cbJobObjectInformationLength, LPDWORD lpReturnLength)
//
// https://learn.microsoft.com/windows/win32/api/jobapi2/nf-jobapi2-queryinformationjobobject
//
// The x/sys form takes the buffer as an integer, which does not keep it in place.
func queryJobBytes(job Handle, class uint32, info unsafe.Pointer, size uintptr) error {
	r, _, e := syscall.SyscallN(procQueryInformationJobObject.Addr(), uintptr(job), uintptr(class), uintptr(info), size, 0)
	if r == 0 {
		return e
	}
	return nil
}

func setJob[T any](job Handle, class uint32, info *T) error {
	return setJobBytes(job, class, unsafe.Pointer(info), unsafe.Sizeof(*info))
}

// BOOL SetInformationJobObject(HANDLE hJob, JOBOBJECTINFOCLASS JobObjectInformationClass,
// LPVOID lpJobObjectInformation, DWORD cbJobObjectInformationLength)
//
// https://learn.microsoft.com/windows/win32/api/jobapi2/nf-jobapi2-setinformationjobobject
func setJobBytes(job Handle, class uint32, info unsafe.Pointer, size uintptr) error {
	r, _, e := syscall.SyscallN(procSetInformationJobObject.Addr(), uintptr(job), uintptr(class), uintptr(info), size)
	if r == 0 {
		return e
	}
	return nil
}

// unknownClass adds [ErrNotSupported] to the error of a kernel that does not have an
// information class, or does not have it for this job. Our sizes are
// under test and our values validated, so "wrong parameter" can mean only the class.
func unknownClass(err error) error {
	for _, code := range []error{windows.ERROR_INVALID_PARAMETER, windows.ERROR_INVALID_FUNCTION, windows.ERROR_NOT_FOUND} {
		if errors.Is(err, code) {
			return fmt.Errorf("%w: %w", ErrNotSupported, err)
		}
	}
	return err
}

// supported adds [ErrNotSupported] to the error of a missing function or library.
func supported(err error) error {
	if errors.Is(err, windows.Errno(windows.E_NOTIMPL)) || errors.Is(err, windows.ERROR_PROC_NOT_FOUND) || errors.Is(err, windows.ERROR_MOD_NOT_FOUND) {
		return fmt.Errorf("%w: %w", ErrNotSupported, err)
	}
	return err
}
