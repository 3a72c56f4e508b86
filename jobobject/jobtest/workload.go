package jobtest

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/siloshim/siloshim/jobobject"
)

// Workload is a program for tests, as a simulated process ([Kernel.Program]) or,
// by [Main], as a real one. Its first argument says what to do:
//
//	exit N        end with code N
//	args ARG...   print each argument quoted, a line each
//	env KEY       print the value of KEY
//	cat           copy stdin to stdout, then to stderr the number of bytes
//	tree N        start another with N-1 until 0; print the pid; end with stdin
//	event         print a line; end with 40 plus the number of the first event
//	detach        leave the console; print the pid; end with stdin
//	stray         start a tree of 1 outside of the job; print a line; end with stdin
//	commit N      commit and touch N MiB; print a line; end with stdin
//	burn          use user time until ended from outside
//
// Whatever fails ends it with 99.
func Workload(p *Proc) uint32 {
	return workload{
		args: p.Args[1:], env: p.Env, stdin: p.Stdin, stdout: p.Stdout, stderr: p.Stderr, pid: int(p.Pid()),
		spawn: func(args ...string) error {
			_, err := p.Spawn(append([]string{p.Args[0]}, args...)...)
			return err
		},
		event: func(ready func()) (jobobject.ConsoleEvent, bool) {
			events := p.Events()
			ready()
			select {
			case e := <-events:
				return e, true
			case <-p.Done():
				return 0, false
			}
		},
		stray: func(args ...string) error {
			_, err := p.SpawnBreakaway(append([]string{p.Args[0]}, args...)...)
			return err
		},
		detach: func() bool {
			p.FreeConsole()
			return true
		},
		commit: func(n uint64) bool { return p.Commit(n) },
		burn: func() bool {
			p.Use(burnStep, 0, 0)
			return p.Yield()
		},
	}.run()
}

// burnStep is what a simulated process burns between two looks at its end.
const burnStep = time.Millisecond

const workloadKey = "SILO_JOBTEST_WORKLOAD"

// WorkloadEnv is the environment entry with which a test binary that calls [Main]
// is a [Workload].
const WorkloadEnv = workloadKey + "=1"

// Main makes the test binary a [Workload] if it was started with [WorkloadEnv].
// Call it first in TestMain.
func Main() {
	if os.Getenv(workloadKey) == "" {
		return
	}
	os.Exit(int(workload{
		args: os.Args[1:], env: os.Environ(), stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, pid: os.Getpid(),
		spawn: func(args ...string) error {
			cmd := exec.Command(os.Args[0], args...)
			cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
			return cmd.Start()
		},
		event: func(ready func()) (jobobject.ConsoleEvent, bool) {
			events := make(chan os.Signal, 1)
			signal.Notify(events, os.Interrupt, syscall.SIGTERM)
			ready()
			if <-events == os.Interrupt {
				return jobobject.CtrlC, true
			}
			return jobobject.CtrlClose, true
		},
		stray: func(args ...string) error {
			cmd := exec.Command(os.Args[0], args...)
			cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
			breakAway(cmd)
			return cmd.Start()
		},
		detach: freeConsole,
		commit: touch,
		burn:   func() bool { return true },
	}.run()))
}

// touched keeps what touch committed.
var touched []byte

func touch(n uint64) bool {
	touched = make([]byte, n)
	for i := range touched {
		touched[i] = byte(i)
	}
	return true
}

// workload is one process, simulated or real.
type workload struct {
	args, env      []string
	stdin          io.Reader
	stdout, stderr io.Writer
	pid            int
	spawn, stray   func(args ...string) error
	event          func(ready func()) (event jobobject.ConsoleEvent, ok bool)
	detach         func() bool
	commit         func(bytes uint64) bool
	burn           func() (more bool)
}

const workloadFailed = 99

func (w workload) run() uint32 {
	if len(w.args) == 0 {
		return workloadFailed
	}
	verb, args := w.args[0], w.args[1:]
	switch {
	case verb == "args":
		for _, a := range args {
			fmt.Fprintf(w.stdout, "%q\n", a)
		}
		return 0
	case verb == "cat":
		return w.cat()
	case verb == "event":
		return w.awaitEvent()
	case verb == "detach":
		if !w.detach() {
			return workloadFailed
		}
		return w.printPid()
	case verb == "stray":
		return w.breakawayChild()
	case verb == "burn":
		for w.burn() {
		}
		return workloadFailed
	case len(args) != 1:
		return workloadFailed
	case verb == "exit":
		code, err := strconv.ParseUint(args[0], 10, 32)
		if err != nil {
			return workloadFailed
		}
		return uint32(code)
	case verb == "env":
		return w.printVariable(args[0])
	case verb == "tree":
		return w.tree(args[0])
	case verb == "commit":
		return w.commitMemory(args[0])
	}
	return workloadFailed
}

func (w workload) cat() uint32 {
	n, err := io.Copy(w.stdout, w.stdin)
	if err != nil {
		return workloadFailed
	}
	fmt.Fprintln(w.stderr, n)
	return 0
}

func (w workload) awaitEvent() uint32 {
	e, ok := w.event(func() { fmt.Fprintln(w.stdout, "ready") })
	if !ok {
		return workloadFailed
	}
	return 40 + uint32(e)
}

func (w workload) printVariable(key string) uint32 {
	for _, kv := range w.env {
		if k, v, _ := strings.Cut(kv, "="); strings.EqualFold(k, key) {
			fmt.Fprintln(w.stdout, v)
			return 0
		}
	}
	return 1
}

func (w workload) tree(depth string) uint32 {
	n, err := strconv.Atoi(depth)
	if err != nil {
		return workloadFailed
	}
	if n > 1 {
		if err := w.spawn("tree", strconv.Itoa(n-1)); err != nil {
			return workloadFailed
		}
	}
	return w.printPid()
}

// printPid prints the pid and reads stdin to its end.
func (w workload) printPid() uint32 {
	fmt.Fprintln(w.stdout, w.pid)
	if _, err := io.Copy(io.Discard, w.stdin); err != nil {
		return workloadFailed
	}
	return 0
}

func (w workload) breakawayChild() uint32 {
	if err := w.stray("tree", "1"); err != nil {
		fmt.Fprintln(w.stdout, "refused")
	}
	return w.printPid()
}

func (w workload) commitMemory(mib string) uint32 {
	n, err := strconv.ParseUint(mib, 10, 32)
	if err != nil || !w.commit(n<<20) {
		return workloadFailed
	}
	return w.printPid()
}
