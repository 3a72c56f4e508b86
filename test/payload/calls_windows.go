package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"github.com/Microsoft/go-winio"
	"golang.org/x/sys/windows"
)

// logger FILE: a logging program for containerd's binary:// that writes its input to FILE.out and FILE.err.
func logger(args []string) (int, error) {
	if len(args) != 1 {
		return 0, errors.New("logger needs a file")
	}
	var copies sync.WaitGroup
	errs := make([]error, 2)
	for i, s := range []struct{ variable, suffix string }{{"CONTAINER_STDOUT", ".out"}, {"CONTAINER_STDERR", ".err"}} {
		conn, err := winio.DialPipe(os.Getenv(s.variable), nil)
		if err != nil {
			return 0, err
		}
		file, err := os.Create(args[0] + s.suffix)
		if err != nil {
			return 0, err
		}
		copies.Go(func() {
			_, err := file.ReadFrom(conn)
			errs[i] = errors.Join(err, file.Close())
		})
	}
	wait, err := winio.DialPipe(os.Getenv("CONTAINER_WAIT"), nil)
	if err != nil {
		return 0, err
	}
	if err := wait.Close(); err != nil {
		return 0, err
	}
	copies.Wait()
	who := fmt.Sprintf("%s/%s\n", os.Getenv("CONTAINER_NAMESPACE"), os.Getenv("CONTAINER_ID"))
	return 0, errors.Join(errors.Join(errs...), os.WriteFile(args[0]+".id", []byte(who), 0o600))
}

// stacks: requests a dump of the goroutines of every shim and every containerd, and prints the number of requests.
func stacks([]string) (int, error) {
	const lastPid = 1 << 16
	requests := 0
	for pid := 4; pid < lastPid; pid += 4 {
		name, err := windows.UTF16PtrFromString(fmt.Sprintf(`Global\stackdump-%d`, pid))
		if err != nil {
			return 0, err
		}
		event, err := windows.OpenEvent(windows.EVENT_MODIFY_STATE, false, name)
		if err != nil {
			continue // no process with that pid waits for it
		}
		if err := windows.SetEvent(event); err != nil {
			return 0, err
		}
		requests++
		_ = windows.CloseHandle(event) // the event was set
	}
	return printLine([]string{fmt.Sprint(requests)})
}

// group PROGRAM [ARG...]: runs a program in a new process group, as Nomad does, and exits with its code. The processes of a
// new group ignore Ctrl+C.
func group(args []string) (int, error) {
	if len(args) == 0 {
		return 0, errors.New("group needs a program")
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP}
	err := cmd.Run()
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		return ended.ExitCode(), nil
	}
	return 0, err
}

// processorTime is what this process has used, in user and kernel mode.
func processorTime() (time.Duration, error) {
	var created, exited, kernel, user windows.Filetime
	if err := windows.GetProcessTimes(windows.CurrentProcess(), &created, &exited, &kernel, &user); err != nil {
		return 0, err
	}
	const unit = 100 // nanoseconds
	return time.Duration((int64(kernel.HighDateTime+user.HighDateTime)<<32 + int64(kernel.LowDateTime) + int64(user.LowDateTime)) * unit), nil
}

// BOOL GetProcessMemoryInfo(HANDLE Process, PPROCESS_MEMORY_COUNTERS counters, DWORD cb);
//
// https://learn.microsoft.com/windows/win32/api/psapi/nf-psapi-getprocessmemoryinfo
var procGetProcessMemoryInfo = windows.NewLazySystemDLL("kernel32.dll").NewProc("K32GetProcessMemoryInfo")

// weigh is the private memory of this process, in bytes.
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
