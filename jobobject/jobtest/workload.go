package jobtest

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
)

// Workload is the program that the contract suite starts, as a simulated
// process ([Kernel.Program]) or, by [Main], as a real one. Its first argument
// says what to do:
//
//	exit N        end with code N
//	args ARG...   print each argument quoted, a line each
//	env KEY       print the value of KEY
//	cat           copy stdin to stdout, then to stderr the number of bytes
//	tree N        start another with N-1 until 0; print the pid; end with stdin
//	event         print a line; end with 40 plus the number of the first event
//
// Whatever fails ends it with 99.
func Workload(p *Proc) uint32 {
	return workload{
		args: p.Args[1:], env: p.Env, stdin: p.Stdin, stdout: p.Stdout, stderr: p.Stderr, pid: int(p.Pid()),
		spawn: func(args ...string) error {
			_, err := p.Spawn(append([]string{p.Args[0]}, args...)...)
			return err
		},
		event: func(ready func()) (uint32, bool) {
			events := p.Events()
			ready()
			select {
			case e := <-events:
				return e, true
			case <-p.Done():
				return 0, false
			}
		},
	}.run()
}

// workloadKey marks in the environment a test binary that is to be a workload.
const workloadKey = "SILO_JOBTEST_WORKLOAD"

// Main, called first in a TestMain, makes the test binary a [Workload] when the
// suite has started it as one.
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
		event: func(ready func()) (uint32, bool) {
			events := make(chan os.Signal, 1)
			signal.Notify(events, os.Interrupt, syscall.SIGTERM)
			ready()
			if <-events == os.Interrupt {
				return 0, true
			}
			return 2, true
		},
	}.run()))
}

// workload is one process, simulated or real.
type workload struct {
	args, env      []string
	stdin          io.Reader
	stdout, stderr io.Writer
	pid            int
	spawn          func(args ...string) error
	event          func(ready func()) (event uint32, ok bool)
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
	return 40 + e
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
	fmt.Fprintln(w.stdout, w.pid)
	if _, err := bufio.NewReader(w.stdin).ReadString(0); err != io.EOF {
		return workloadFailed
	}
	return 0
}
