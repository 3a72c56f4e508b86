package main

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// BOOL GetProcessMemoryInfo(HANDLE Process, PPROCESS_MEMORY_COUNTERS counters, DWORD cb);
//
// https://learn.microsoft.com/windows/win32/api/psapi/nf-psapi-getprocessmemoryinfo
var procGetProcessMemoryInfo = windows.NewLazySystemDLL("kernel32.dll").NewProc("K32GetProcessMemoryInfo")

// weigh is the private memory of this process, in bytes, as it sees it itself.
func weigh() (uint64, error) {
	var counters struct { // PROCESS_MEMORY_COUNTERS
		size, faults                                                               uint32
		peakWorkingSet, workingSet, quota1, quota2, quota3, quota4, pagefile, peak uintptr
	}
	counters.size = uint32(unsafe.Sizeof(counters))
	ok, _, err := procGetProcessMemoryInfo.Call(uintptr(windows.CurrentProcess()),
		uintptr(unsafe.Pointer(&counters)), uintptr(counters.size))
	if ok == 0 {
		return 0, err
	}
	return uint64(counters.pagefile), nil
}
