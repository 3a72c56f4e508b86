package plan

import (
	"runtime"

	"golang.org/x/sys/windows"
)

// processors counts those of all groups. [runtime.NumCPU] counts those of the one group that this process is in, which
// on a machine of more than 64 is not all.
//
//	DWORD GetActiveProcessorCount(WORD GroupNumber);
//
// https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-getactiveprocessorcount
func processors() int {
	if n := windows.GetActiveProcessorCount(windows.ALL_PROCESSOR_GROUPS); n > 0 {
		return int(n)
	}
	return runtime.NumCPU()
}

// build is that of the kernel, whatever the manifest of this program asks for.
func build() uint32 { return windows.RtlGetVersion().BuildNumber }
