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

// openShared opens a file to read that its writer may rename meanwhile.
func openShared(path string) (*os.File, error) { return os.Open(path) }

// terminal prepares a screen for control sequences, and returns its height, 0 if unknown, and what undoes it.
func terminal(io.Writer) (height int, restore func()) { return 0, func() {} }

var errNoServices = errors.New("not supported: services need Windows")

func serviceEnviron(own []string) []string { return own }

func (a *App) installService(*servicePlan) error { return errNoServices }
func (a *App) uninstallService(string) error     { return errNoServices }
func (a *App) listServices([]string) error       { return errNoServices }
func (a *App) runService(context.Context, *serviceFlags, string, []string) error {
	return errNoServices
}
