//go:build !windows

package command

import "syscall"

// aloof keeps a process away from our terminal.
func aloof() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
