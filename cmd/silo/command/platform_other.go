//go:build !windows

package command

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"
)

// withoutConsole detaches a process from the terminal of silo.
func withoutConsole() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// isConsole reports whether a file is a terminal.
func isConsole(f *os.File) bool {
	if f == nil {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// terminal prepares a screen for control sequences, and returns its height, 0 if unknown, and what undoes it.
func terminal(io.Writer) (height int, restore func()) { return 0, func() {} }

// windowsBuild is the build number of Windows.
func windowsBuild() string { return "" }

func requestStacks(uint32) error { return errors.New("not supported: stack dumps need Windows") }

var errNoServices = errors.New("not supported: services need Windows")

func (a *App) installService(string, []string) error              { return errNoServices }
func (a *App) runService(context.Context, string, []string) error { return errNoServices }
func (a *App) removeService(string) error                         { return errNoServices }
