package jobobject_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// waiterKey has the name of a job in the environment of a test binary that does
// nothing but wait for processes in that job.
const waiterKey = "SILO_TEST_WAITER"

// In the main goroutine before the tests, so that there is no other goroutine and no timer. An init function is too early:
// callbacks wait until all of them have returned.
func init() {
	beforeTests = func() {
		jobtest.Main()
		if os.Getenv(raiserKey) != "" {
			raiseOnRequest()
			os.Exit(0)
		}
		if name := os.Getenv(waiterKey); name != "" {
			waiterMain(name)
		}
	}
}

func waiterMain(name string) {
	if err := waitInTurn(name); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func waitInTurn(name string) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	if err := os.Unsetenv(waiterKey); err != nil {
		return err
	}
	// An opened job has no completion port, in whose reader a goroutine would be busy.
	job, err := jobobject.Open(name, jobobject.OpenOptions{Access: jobobject.AccessQuery | jobobject.AccessAssign})
	if err != nil {
		return err
	}
	for range 3 {
		p, err := job.Start(jobobject.ProcessOptions{
			Application: exe, Args: []string{"workload", "exit", "7"}, Env: append(os.Environ(), jobtest.WorkloadEnv),
		})
		if err != nil {
			return err
		}
		code, err := p.Wait(context.Background())
		if err = errors.Join(err, p.Close()); err != nil || code != 7 {
			return errors.Join(err, fmt.Errorf("exit code %d, want 7", code))
		}
	}
	return job.Close()
}

// Go's runtime must not take a program for deadlocked that waits for processes only.
func TestProcessWait_NothingElseRuns_IsNoDeadlock(t *testing.T) {
	e := system(t)
	name := e.name(t)
	e.create(t, jobobject.Options{Name: name, KillOnClose: true})
	cmd := exec.CommandContext(t.Context(), e.application)
	cmd.Env = append(os.Environ(), waiterKey+"="+name)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
