//go:build !windows

package command

import (
	"context"
	"errors"
	"io"
	"syscall"
)

// withoutConsole detaches a process from the terminal of silo.
func withoutConsole() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// terminal prepares a screen for control sequences, and returns its height, 0 if unknown, and what undoes it.
func terminal(io.Writer) (height int, restore func()) { return 0, func() {} }

var errNoServices = errors.New("not supported: services need Windows")

func (a *App) installService(string, []string) error              { return errNoServices }
func (a *App) runService(context.Context, string, []string) error { return errNoServices }
func (a *App) removeService(string) error                         { return errNoServices }
