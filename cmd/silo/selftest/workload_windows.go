package selftest

import (
	"os"
	"os/exec"
	"unsafe"

	"golang.org/x/sys/windows"
)

var (
	procIsProcessInJob       = windows.NewLazySystemDLL("kernel32.dll").NewProc("IsProcessInJob")
	procGetHandleInformation = windows.NewLazySystemDLL("kernel32.dll").NewProc("GetHandleInformation")
	procWineVersion          = windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version")
)

// Emulation names the emulation of Windows that this process runs on. It is empty on Windows.
//
//	const char * CDECL wine_get_version(void);
//
// https://gitlab.winehq.org/wine/wine/-/wikis/Developer-FAQ
func Emulation() string {
	if procWineVersion.Find() != nil {
		return ""
	}
	version, _, _ := procWineVersion.Call()
	return "Wine " + windows.BytePtrToString(*(**byte)(unsafe.Pointer(&version)))
}

// inside checks that this process is in a job.
//
//	BOOL IsProcessInJob(HANDLE ProcessHandle, HANDLE JobHandle, PBOOL Result);
//
// https://learn.microsoft.com/windows/win32/api/jobapi/nf-jobapi-isprocessinjob
func inside() (uint32, error) {
	var is int32
	ok, _, err := procIsProcessInJob.Call(uintptr(windows.CurrentProcess()), 0, uintptr(unsafe.Pointer(&is)))
	if ok == 0 {
		return 0, err
	}
	if is == 0 {
		return refused, nil
	}
	return 0, nil
}

// breakaway tries to start a process outside of our job.
func breakaway() (uint32, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	cmd := exec.Command(self, "workload", "exit", "0")
	cmd.SysProcAttr = &windows.SysProcAttr{CreationFlags: windows.CREATE_BREAKAWAY_FROM_JOB}
	if err := cmd.Start(); err != nil {
		return refused, nil //nolint:nilerr // the refusal is the result
	}
	return 0, cmd.Wait()
}

// inheritedHandles counts the handles of this process that can be inherited: those that it has inherited keep that flag,
// and a Go program makes no others.
//
//	BOOL GetHandleInformation(HANDLE hObject, LPDWORD lpdwFlags);
//
// https://learn.microsoft.com/windows/win32/api/handleapi/nf-handleapi-gethandleinformation
func inheritedHandles() (count uint32, err error) {
	const last = 1 << 16 // handles are small multiples of 4
	for h := uintptr(4); h < last; h += 4 {
		var flags uint32
		ok, _, _ := procGetHandleInformation.Call(h, uintptr(unsafe.Pointer(&flags)))
		if ok != 0 && flags&windows.HANDLE_FLAG_INHERIT != 0 {
			count++
		}
	}
	return count, nil
}

// commit takes memory from Windows and not from Go, whose runtime ends the process when an allocation fails.
//
// https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-virtualalloc
func commit(n int) ([]byte, error) {
	at, err := windows.VirtualAlloc(0, uintptr(n), windows.MEM_COMMIT|windows.MEM_RESERVE, windows.PAGE_READWRITE)
	if err != nil {
		return nil, err
	}
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&at)), n), nil
}

// temporary makes a file that is deleted when its handle is closed, which the end of the process does.
//
// https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-createfilew
func temporary(path string) error {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return err
	}
	const access = windows.GENERIC_WRITE | windows.DELETE
	_, err = windows.CreateFile(name, access, windows.FILE_SHARE_READ|windows.FILE_SHARE_DELETE, nil, windows.CREATE_NEW, windows.FILE_FLAG_DELETE_ON_CLOSE, 0)
	return err
}
