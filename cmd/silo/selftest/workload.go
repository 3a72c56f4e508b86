package selftest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strconv"

	"github.com/siloshim/siloshim/cmd/silo/limit"
	"github.com/siloshim/siloshim/cmd/silo/token"
	"github.com/siloshim/siloshim/internal/pipe"
	"github.com/siloshim/siloshim/jobobject"
)

// workloads are what the trials run, each with its arguments. The exit code is 0, [refused] or one of the workload; an
// error is 1.
var workloads = map[string]func(args []string) (uint32, error){
	"exit": func(args []string) (uint32, error) {
		n, err := strconv.ParseUint(args[0], 10, 32)
		return uint32(n), err
	},
	"idle": func([]string) (uint32, error) {
		underWay()
		for range events() { // until it is terminated
		}
		return 0, nil
	},
	"event": func([]string) (uint32, error) {
		received := events()
		underWay()
		<-received
		return refused, nil
	},
	"inside": func([]string) (uint32, error) { return inside() },
	"alloc":  func(args []string) (uint32, error) { return allocate(args[0]) },
	"grow": func(args []string) (uint32, error) {
		underWay()
		awaitEnd()
		return allocate(args[0])
	},
	"hold": func(args []string) (uint32, error) {
		code, err := allocate(args[0])
		underWay()
		awaitEnd()
		return code, err
	},
	"burn": func([]string) (uint32, error) {
		n := limit.ThisMachine().Processors()
		runtime.GOMAXPROCS(n) // silo itself uses one
		for range n - 1 {
			go burn() // ends with the process
		}
		underWay()
		burn()
		return 0, nil
	},
	"processors": func(args []string) (uint32, error) {
		if len(args) == 0 {
			return child("processors", "here")
		}
		return uint32(runtime.NumCPU()), nil
	},
	"find": func(args []string) (uint32, error) {
		if _, err := os.Stat(args[0]); err != nil {
			return refused, nil
		}
		return 0, nil
	},
	"make": func(args []string) (uint32, error) {
		if err := os.WriteFile(args[0], nil, 0o600); err != nil {
			return refused, nil
		}
		return 0, nil
	},
	"open": func(args []string) (uint32, error) {
		return refusal(jobobject.Open(args[0], jobobject.OpenOptions{}))
	},
	"create": func(args []string) (uint32, error) {
		job, err := jobobject.Create(jobobject.Options{Name: args[0]})
		if err != nil {
			return 0, err
		}
		underWay()
		awaitEnd()
		return 0, job.Close()
	},
	"dial": func(args []string) (uint32, error) {
		return refusal(pipe.Dial(context.Background(), args[0]))
	},
	"handles": func([]string) (uint32, error) { return inheritedHandles() },
	"temporary": func(args []string) (uint32, error) {
		if err := temporary(args[0]); err != nil {
			return 0, err
		}
		underWay()
		awaitEnd()
		return 0, nil
	},
	"breakaway": func([]string) (uint32, error) { return breakaway() },
	"write": func(args []string) (uint32, error) {
		n, err := strconv.Atoi(args[1])
		if err != nil {
			return 0, err
		}
		f, err := os.Create(args[0])
		if err != nil {
			return 0, err
		}
		for range n {
			_, werr := f.Write(make([]byte, 1<<20))
			err = errors.Join(err, werr)
		}
		return 0, errors.Join(err, f.Sync(), f.Close())
	},
	"restricted": func([]string) (uint32, error) {
		return holds(func(f token.Facts) bool {
			administrator := f.Elevated && !slices.Contains(f.DenyOnly, token.Administrators)
			return slices.Equal(f.Privileges, []string{"SeChangeNotifyPrivilege"}) && !administrator
		})
	},
	"integrity": func(args []string) (uint32, error) {
		return holds(func(f token.Facts) bool { return f.Integrity == args[0] })
	},
	"user": func(args []string) (uint32, error) {
		return holds(func(f token.Facts) bool { return f.User == args[0] })
	},
}

// Workload runs one of the workloads of the trials in this process and returns the exit code.
func Workload(args []string) (uint32, error) {
	if len(args) == 0 || workloads[args[0]] == nil {
		return 0, errors.New("run workload: no such workload of silo selftest")
	}
	return workloads[args[0]](args[1:])
}

func underWay() { fmt.Fprintln(os.Stdout, "under way") }

// awaitEnd waits until the trial closes our input, or ends.
func awaitEnd() { _, _ = io.Copy(io.Discard, os.Stdin) }

func events() <-chan os.Signal {
	c := make(chan os.Signal, 1)
	signal.Notify(c)
	return c
}

// burn computes until the process ends.
func burn() {
	for x := 1.0; !math.IsNaN(x); {
		x = math.Sqrt(x + 1)
	}
}

// allocate commits and touches memory, and does not release it.
func allocate(mib string) (uint32, error) {
	n, err := strconv.Atoi(mib)
	if err != nil {
		return 0, err
	}
	memory, err := commit(n << 20)
	if err != nil {
		return refused, nil //nolint:nilerr // the refusal is the result
	}
	for i := 0; i < len(memory); i += 4096 {
		memory[i] = 1
	}
	return 0, nil
}

// child runs a workload in a child process.
func child(args ...string) (uint32, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	err = exec.Command(self, append([]string{"workload"}, args...)...).Run()
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		return uint32(ended.ExitCode()), nil
	}
	return 0, err
}

func holds(want func(token.Facts) bool) (uint32, error) {
	facts, err := token.Own()
	if err != nil {
		return 0, err
	}
	if !want(facts) {
		return refused, nil
	}
	return 0, nil
}

// refusal is the exit code of a call that should have been refused. Another error than the refusal is none.
func refusal[T io.Closer](opened T, err error) (uint32, error) {
	switch {
	case err == nil:
		return 0, opened.Close()
	case errors.Is(err, fs.ErrPermission), errors.Is(err, jobobject.ErrPermission):
		return refused, nil
	}
	return 0, err
}
