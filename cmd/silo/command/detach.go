package command

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// detachedEnv marks the silo process that supervises a detached container.
const detachedEnv = "SILO_DETACHED"

// readyLine is what that process prints when the program has started, after any warnings. Without it the process has
// printed an error.
const readyLine = "silo: started"

// detach starts silo run, with the arguments that follow the verb, without a terminal, and returns when its program has
// started.
func (a *App) detach(ctx context.Context, name string, args []string, dir string, env []string) error {
	cmd := exec.CommandContext(context.WithoutCancel(ctx), a.Self, append([]string{"run"}, args...)...)
	cmd.Env = append(slices.Clone(env), detachedEnv+"="+name)
	cmd.Dir = dir
	cmd.SysProcAttr = withoutConsole()
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
	// The process has ended without a program, and its error was printed above.
	err = cmd.Wait()
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		return exit(uint32(ended.ExitCode()))
	}
	return fmt.Errorf("start the supervisor: it ended before the program was started: %w", err)
}

// detached returns a function that reports to the waiting silo that the program has started. Later output has no reader.
func detached(a *App, name string) func() {
	if lookupEnv(a.Env, detachedEnv) == "" {
		return func() {}
	}
	reported := false
	return func() {
		if reported {
			return
		}
		reported = true
		fmt.Fprintln(a.Stderr, readyLine, name)
		if c, ok := a.Stderr.(io.Closer); ok {
			_ = c.Close() // the reader must see the end; there is nothing to flush
		}
		a.Stderr = io.Discard
	}
}
