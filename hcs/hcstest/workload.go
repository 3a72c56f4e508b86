package hcstest

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
)

// Workload is the program that the contract tests start, as a simulated process
// ([Service.Program]) or, by [Main], as a real one. Its first argument says what
// to do:
//
//	exit N     end with code N
//	args A...  print each argument quoted, a line each
//	env KEY    print the value of KEY
//	cat        copy stdin to stdout, then to stderr the number of bytes
//	wait       print a line, then end with 7 when stdin does
//	event      print a line; end with 40 at the first console event
//
// Whatever fails ends it with 99.
func Workload(p *Proc) uint32 {
	return workload(p.Args[1:], p.Stdin, p.Stdout, p.Stderr,
		func(key string) string { return p.Parameters.Environment[key] },
		func() (wait func()) {
			events := p.Signals()
			return func() {
				select {
				case <-events:
				case <-p.Done():
				}
			}
		})
}

// WorkloadVariable is the environment variable that makes a test binary a [Workload]
// by [Main]. Its value does not matter.
const WorkloadVariable = "SILO_HCSTEST_WORKLOAD"

// Main makes the test binary a [Workload] when a test has started it as one;
// call it first in a TestMain.
func Main() {
	if os.Getenv(WorkloadVariable) == "" {
		return
	}
	os.Exit(int(workload(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Getenv, func() (wait func()) {
		events := make(chan os.Signal, 1)
		signal.Notify(events, os.Interrupt, syscall.SIGTERM)
		return func() { <-events }
	})))
}

func workload(args []string, stdin io.Reader, stdout, stderr io.Writer, env func(string) string, listen func() (wait func())) uint32 {
	var err error
	code := uint32(0)
	switch args[0] {
	case "exit":
		var n uint64
		n, err = strconv.ParseUint(args[1], 10, 32)
		code = uint32(n)
	case "args":
		for _, a := range args[1:] {
			fmt.Fprintf(stdout, "%q\n", a)
		}
	case "env":
		_, err = io.WriteString(stdout, env(args[1]))
	case "cat":
		var n int64
		n, err = io.Copy(stdout, stdin)
		fmt.Fprint(stderr, n)
	case "wait":
		fmt.Fprintln(stdout, "here")
		_, err = io.Copy(io.Discard, stdin)
		code = 7
	case "event":
		wait := listen() // an event may be sent as soon as the line is read
		fmt.Fprintln(stdout, "here")
		wait()
		code = 40
	default:
		err = fmt.Errorf("no such word: %s", strings.Join(args, " "))
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 99
	}
	return code
}
