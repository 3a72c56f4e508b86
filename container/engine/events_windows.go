package engine

import (
	"fmt"

	"golang.org/x/sys/windows"
)

// BOOL SetConsoleCtrlHandler(PHANDLER_ROUTINE HandlerRoutine, BOOL Add);
//
// https://learn.microsoft.com/windows/console/setconsolectrlhandler
var procSetConsoleCtrlHandler = windows.NewLazySystemDLL("kernel32.dll").NewProc("SetConsoleCtrlHandler")

// inheritEvents lets the programs that this process starts hear CTRL_C. A process that was started as the first of its
// group ignores it, as the shim is, and perhaps containerd before it; its children would ignore it, too.
func inheritEvents() error {
	if r, _, err := procSetConsoleCtrlHandler.Call(0, 0); r == 0 {
		return fmt.Errorf("let programs hear control events: %w", err)
	}
	return nil
}
