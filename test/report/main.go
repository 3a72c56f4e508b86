// Command report runs targets of the Makefile, one after the other and all of them. At the end it lists the failures of each
// target, and how long each took:
//
//	go run ./test/report make unit cross
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: report MAKE TARGET...")
		os.Exit(2)
	}
	if !report(ctx, os.Stdout, time.Now, os.Args[1], os.Args[2:]) {
		stop()
		os.Exit(1)
	}
}

// report runs the targets and reports whether all of them succeeded. Their output goes to out at once.
func report(ctx context.Context, out io.Writer, now func() time.Time, program string, targets []string) bool {
	var passed, failed, took []string
	began := now()
	for _, target := range targets {
		said := failures{}
		start := now()
		err := run(ctx, io.MultiWriter(out, &said), program, target)
		took = append(took, fmt.Sprintf("%s %v", target, now().Sub(start).Round(time.Second)))
		if err == nil {
			passed = append(passed, target)
			continue
		}
		failed = append(failed, fmt.Sprintf("%s: %v", target, err))
		for _, line := range said.lines {
			failed = append(failed, "    "+line)
		}
		if ctx.Err() != nil {
			break
		}
	}
	fmt.Fprintf(out, "\ntook: %s; all %v\npassed: %s\n", strings.Join(took, ", "), now().Sub(began).Round(time.Second), strings.Join(passed, " "))
	if failed != nil {
		fmt.Fprintf(out, "failed:\n  %s\n", strings.Join(failed, "\n  "))
	}
	return failed == nil
}

// run runs one target and continues after a failure (-k). Both its streams go to one writer, so that the lines stay in order.
func run(ctx context.Context, out io.Writer, program, target string) error {
	cmd := exec.CommandContext(ctx, program, "-k", target)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, out, out
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // make ends what it runs
	cmd.WaitDelay = 10 * time.Second
	err := cmd.Run()
	if errors.Is(err, exec.ErrWaitDelay) {
		return nil // it succeeded, but a process that it started has its output open
	}
	return err
}

// failure is a line in which go test or make names a failure.
var failure = regexp.MustCompile(`^(FAIL\t|--- FAIL: |make(\[\d+\])?: \*\*\* )`)

// failures keeps the lines that name a failure.
type failures struct {
	lines []string
	rest  []byte // an incomplete line
}

func (f *failures) Write(p []byte) (int, error) {
	f.rest = append(f.rest, p...)
	for {
		line, rest, whole := bytes.Cut(f.rest, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		f.rest = rest
		if text := bytes.TrimSpace(line); failure.Match(text) {
			f.lines = append(f.lines, string(text))
		}
	}
}
