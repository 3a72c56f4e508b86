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

// enableSequences makes a terminal read control sequences, and returns what undoes it. Terminals of Unix always do.
func enableSequences(io.Writer) (restore func(), ok bool) { return func() {}, true }

var errNoServices = errors.New("not supported: services need Windows")

func (a *App) installService(string, []string) error              { return errNoServices }
func (a *App) runService(context.Context, string, []string) error { return errNoServices }
func (a *App) removeService(string) error                         { return errNoServices }
