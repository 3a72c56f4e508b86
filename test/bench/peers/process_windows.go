package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/siloshim/siloshim/test/workload"
)

// BOOL GetProcessMemoryInfo(HANDLE Process, PPROCESS_MEMORY_COUNTERS counters, DWORD cb);
//
// https://learn.microsoft.com/windows/win32/api/psapi/nf-psapi-getprocessmemoryinfo
var procGetProcessMemoryInfo = windows.NewLazySystemDLL("kernel32.dll").NewProc("K32GetProcessMemoryInfo")

// processMemoryCounters is PROCESS_MEMORY_COUNTERS.
type processMemoryCounters struct {
	size, pageFaults                  uint32
	peakWorkingSet, workingSet        uintptr
	peakPagedPool, pagedPool          uintptr
	peakNonPagedPool, nonPagedPool    uintptr
	pagefileUsage, peakPagefileUsage_ uintptr
}

// memory records the working set of the shim, and the size of its executable.
func (s *shim) memory(context.Context) error {
	size, err := workingSet(s.pid)
	if err != nil {
		return err
	}
	s.kind.add("memory", "MB", size/1e6)
	file, err := os.Stat(s.kind.exe)
	if err != nil {
		return err
	}
	s.kind.add("executable", "MB", float64(file.Size())/1e6)
	return nil
}

// workingSet is the working set of a process in bytes.
func workingSet(pid uint32) (float64, error) {
	process, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION|windows.PROCESS_VM_READ, false, pid)
	if err != nil {
		return 0, fmt.Errorf("open process %d: %w", pid, err)
	}
	defer windows.CloseHandle(process) //nolint:errcheck // it was only queried
	c := processMemoryCounters{}
	c.size = uint32(unsafe.Sizeof(c))
	if ok, _, err := procGetProcessMemoryInfo.Call(uintptr(process), uintptr(unsafe.Pointer(&c)), uintptr(c.size)); ok == 0 {
		return 0, err
	}
	return float64(c.workingSet), nil
}

// imageOf is the path of a process's executable.
func imageOf(pid uint32) (string, error) {
	process, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, pid)
	if err != nil {
		return "", err
	}
	defer windows.CloseHandle(process) //nolint:errcheck // it was only queried
	name := make([]uint16, windows.MAX_LONG_PATH)
	size := uint32(len(name))
	err = windows.QueryFullProcessImageName(process, 0, &name[0], &size)
	return windows.UTF16ToString(name[:size]), err
}

// ended waits for the end of a process.
func ended(ctx context.Context, pid uint32) error {
	process, err := windows.OpenProcess(windows.SYNCHRONIZE, false, pid)
	if errors.Is(err, windows.ERROR_INVALID_PARAMETER) {
		return nil // it has exited
	}
	if err != nil {
		return fmt.Errorf("open shim %d: %w", pid, err)
	}
	defer windows.CloseHandle(process) //nolint:errcheck // it was only waited for
	switch event, err := windows.WaitForSingleObject(process, uint32(timeout.Milliseconds())); {
	case err != nil:
		return err
	case event != windows.WAIT_OBJECT_0:
		return fmt.Errorf("shim %d runs after its shutdown: %w", pid, context.DeadlineExceeded)
	}
	return ctx.Err()
}

// cat is a running program that copies its input.
type cat struct {
	*exec.Cmd
	in  io.WriteCloser
	out io.Reader
}

// startCat starts one, and returns when it runs.
func startCat(ctx context.Context) (*cat, error) {
	cmd := exec.CommandContext(ctx, workload.Payload, "cat")
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &cat{cmd, in, out}
	_, err = in.Write([]byte("x"))
	if err == nil {
		_, err = out.Read(make([]byte, 1))
	}
	if err != nil {
		return nil, errors.Join(err, c.end())
	}
	return c, nil
}

// end ends it.
func (c *cat) end() error {
	err := c.in.Close()
	_, failed := io.Copy(io.Discard, c.out)
	return errors.Join(err, failed, c.Wait())
}
