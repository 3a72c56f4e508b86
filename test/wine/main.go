// Command wine makes and uses the Wine test environment, in which the Windows programs of this module run on Linux.
//
// Run it as "go run ./test/wine VERB", or build it once and use it with "go test -exec". test/wine/README.md lists what is
// real in the test environment.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

const usage = `usage: wine VERB

  setup                  make what is missing: packages, prefix, gap filler, containerd.exe
  build [NAME...]        build the shim and the payload for Windows and install them in the test environment
  daemons [VERSION...]   build the versions of containerd.exe and ctr.exe that BED_CONTAINERD chooses from
  crictl                 build crictl.exe, the client of CRI, and install it in the test environment
  prometheus             get Prometheus and promtool of Debian, without installing them
  programs               download programs of others from the npm registry into the cache
  peers                  build the reference shim and install it in the test environment
  host DIR               build all commands for a Windows host into a directory, which the tests expect at C:\silo\bin
  run [-t LIMIT] EXE ... run a Windows program; also for "go test -exec"
  with -- COMMAND ...    run a Linux command with the server up, then stop the server
  start                  bring the server up; it leaves by itself when idle
  stop                   end the server and every process of the prefix
`

func main() {
	// These signals end an orderly run: run ends its program, and with stops the server. go test sends SIGQUIT to a test that
	// has not ended a minute after its -timeout.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGQUIT)
	code := 0
	if err := dispatch(ctx, os.Args[1:]); err != nil {
		code = exitCode(err)
	}
	stop()
	os.Exit(code)
}

// exited is the exit code of the program that was run. The program has printed its error.
type exited int

func (e exited) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// exitCode is the exit code of the program that was run, or 1 after another error, which is printed.
func exitCode(err error) int {
	if code, ok := errors.AsType[exited](err); ok {
		return int(code)
	}
	fmt.Fprintln(os.Stderr, "wine:", err)
	if errors.Is(err, errUsage) {
		return 2
	}
	return 1
}
