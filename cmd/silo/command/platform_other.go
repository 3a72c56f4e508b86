//go:build !windows

package command

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
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

// enableSequences makes a terminal read control sequences, and returns what undoes it. Terminals of Unix always do.
func enableSequences(io.Writer) (restore func(), ok bool) { return func() {}, true }

// pipeName is the path of the socket that takes the place of a pipe.
func pipeName(name string) string { return filepath.Join(os.TempDir(), name) }

// windowsBuild is the build number of Windows.
func windowsBuild() string { return "" }

func requestStacks(uint32) error { return errors.New("not supported: stack dumps need Windows") }

var errNoServices = errors.New("not supported: services need Windows")

func serviceEnviron(own []string) []string { return own }

func (a *App) installService(*servicePlan) error { return errNoServices }
func (a *App) uninstallService(string) error     { return errNoServices }
func (a *App) listServices([]string) error       { return errNoServices }
func (a *App) runService(context.Context, *serviceFlags, string, []string) error {
	return errNoServices
}
