package engine

import (
	"fmt"

	"golang.org/x/sys/windows"
)

// BOOL SetConsoleCtrlHandler(PHANDLER_ROUTINE HandlerRoutine, BOOL Add);
//
// https://learn.microsoft.com/windows/console/setconsolectrlhandler
var procSetConsoleCtrlHandler = windows.NewLazySystemDLL("kernel32.dll").NewProc("SetConsoleCtrlHandler")

// InheritEvents lets the processes that this process starts receive CTRL_C. The first process of a process group ignores
// CTRL_C, and its children inherit that. The shim is such a process, and containerd may be one.
func InheritEvents() error {
	if r, _, err := procSetConsoleCtrlHandler.Call(0, 0); r == 0 {
		return fmt.Errorf("enable CTRL_C for child processes: %w", err)
	}
	return nil
}
