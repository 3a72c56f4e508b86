package install

import (
	"context"
	"fmt"
	"io/fs"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// Machine is what an installation asks of its machine beside files.
type Machine interface {
	// Service tells how a service is started; [fs.ErrNotExist] where there is none of that name.
	Service(name string) (Service, error)
	// Started tells since when a service runs; the zero time if it does not.
	Started(name string) (time.Time, error)
	// Dependents lists the active services that need this one to run, those that need them included: each stands before
	// what it needs.
	Dependents(name string) ([]string, error)
	// Stop asks a service to stop and does not wait for it. One that does not run is a success, one that is on the way
	// into another state is [ErrPending], and one that others need is [ErrDependents].
	Stop(name string) error
	// Start starts a service and does not wait for it to run. One that runs is a success, one that is on the way into
	// another state is [ErrPending].
	Start(name string) error
	// State tells whether a service runs.
	State(name string) (State, error)
	// Processes lists the processes of executables with this name.
	Processes(image string) ([]uint32, error)
	// Output runs a program and returns what it prints.
	Output(ctx context.Context, exe string, args ...string) (string, error)
}

// Service is the command line of a service.
type Service struct {
	Exe  string
	Args []string
}

// flag finds the value of a flag of a service, as "--flag value" or "--flag=value".
func (s Service) flag(names ...string) string {
	for i, arg := range s.Args {
		name, value, joined := strings.Cut(arg, "=")
		if !slices.Contains(names, name) {
			continue
		}
		if joined {
			return value
		}
		if i+1 < len(s.Args) {
			return s.Args[i+1]
		}
	}
	return ""
}

// System is this machine.
func System() Machine { return system{} }

type system struct{}

func (system) Output(ctx context.Context, exe string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, exe, args...).Output()
	if err != nil {
		return "", fmt.Errorf("run %s: %w%s", exe, err, said(err))
	}
	return string(out), nil
}

// said is what a program that failed wrote to standard error.
func said(err error) string {
	if e, ok := err.(*exec.ExitError); ok && len(e.Stderr) > 0 { //nolint:errorlint // os/exec gives this very type
		return ": " + string(e.Stderr)
	}
	return ""
}

// errNoService is [fs.ErrNotExist] with a name.
func errNoService(name string) error { return fmt.Errorf("service %s: %w", name, fs.ErrNotExist) }
