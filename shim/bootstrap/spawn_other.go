//go:build !windows

package bootstrap

import "syscall"

func detached() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

func systemDir() string { return "/" }
