package command

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// detachedEnv marks the silo process that supervises a detached container.
const detachedEnv = "SILO_DETACHED"

// readyLine is what that process prints when the program has started. Before it come warnings, or an error.
const readyLine = "silo: started"

// detach starts this very command line anew without a terminal, and returns when the program has started.
func (a *App) detach(ctx context.Context, name string) error {
	cmd := exec.CommandContext(context.WithoutCancel(ctx), a.Self, os.Args[1:]...)
	cmd.Env = append(a.Env, detachedEnv+"="+name)
	cmd.Dir = a.Dir
	cmd.SysProcAttr = aloof()
	out, in, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("make a pipe: %w", err)
	}
	defer out.Close() // it was only read
	cmd.Stderr = in
	err = cmd.Start()
	if cerr := in.Close(); err != nil || cerr != nil {
		return fmt.Errorf("start the supervisor: %w", errors.Join(err, cerr))
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), readyLine) {
			fmt.Fprintln(a.Stdout, name)
			return cmd.Process.Release()
		}
		fmt.Fprintln(a.Stderr, lines.Text())
	}
	// It has ended without having started anything, and has said why.
	err = cmd.Wait()
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		return exit(uint32(ended.ExitCode()))
	}
	return fmt.Errorf("the supervisor ended before the program was started: %w", err)
}

// detached returns what tells the waiting silo that the program has started. From then on nobody reads what we print.
func detached(a *App, name string) func() {
	if lookupEnv(a.Env, detachedEnv) == "" {
		return func() {}
	}
	told := false
	return func() {
		if told {
			return
		}
		told = true
		fmt.Fprintln(a.Stderr, readyLine, name)
		if c, ok := a.Stderr.(io.Closer); ok {
			_ = c.Close() // the reader must see the end; there is nothing to flush
		}
		a.Stderr = io.Discard
	}
}
