package install

import (
	"context"
	"fmt"
	"io/fs"
	"os/exec"
	"time"
)

// Machine is what an installation needs of its machine beside files.
type Machine interface {
	ServiceManager
	// Service returns the command line of a service; [fs.ErrNotExist] where there is none of that name.
	Service(name string) (Service, error)
	// Started returns when a service started; the zero time if it does not run.
	Started(name string) (time.Time, error)
	// Processes lists the processes of executables with this name.
	Processes(image string) ([]uint32, error)
	// Output runs a program and returns its standard output.
	Output(ctx context.Context, exe string, args ...string) (string, error)
}

// System is this machine.
func System() Machine { return system{} }

type system struct{}

func (system) Output(ctx context.Context, exe string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, exe, args...).Output()
	if err != nil {
		return "", fmt.Errorf("run %s: %w%s", exe, err, stderrOf(err))
	}
	return string(out), nil
}

// stderrOf returns what a program that failed wrote to standard error.
func stderrOf(err error) string {
	if e, ok := err.(*exec.ExitError); ok && len(e.Stderr) > 0 { //nolint:errorlint // os/exec gives this very type
		return ": " + string(e.Stderr)
	}
	return ""
}

// errNoService is [fs.ErrNotExist] with a name.
func errNoService(name string) error { return fmt.Errorf("open service %s: %w", name, fs.ErrNotExist) }
