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
	"sync"

	"github.com/spf13/cobra"
)

// detachedFlag is a hidden flag of silo run: it has the name of the detached container that this silo supervises. A
// variable would reach the program, and a silo that the program starts.
const detachedFlag = "detached"

// readyLine is what that process prints when the program has started, after any warnings. Without it the process has
// printed an error.
const readyLine = "silo: started"

// detach starts silo run, with the arguments that follow the verb, without a terminal, and returns when its program has
// started, or when the first start has failed and the restart policy tries again.
func (a *App) detach(ctx context.Context, name string, args []string, dir string, env []string) error {
	args = append([]string{"run", "--" + detachedFlag + "=" + name}, args...)
	cmd := exec.CommandContext(context.WithoutCancel(ctx), a.Self, args...)
	cmd.Env, cmd.Dir, cmd.SysProcAttr = env, dir, withoutConsole()
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
	if awaitReady(out, a.Stderr) {
		fmt.Fprintln(a.Stdout, name)
		return cmd.Process.Release()
	}
	// The process has ended without a program, and its error was printed above.
	err = cmd.Wait()
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		return exit(uint32(ended.ExitCode()))
	}
	return fmt.Errorf("start the supervisor: it ended before the program was started: %w", err)
}

// awaitReady copies what a supervisor prints until its program has started. At the end of the output it returns false.
func awaitReady(out io.Reader, warnings io.Writer) bool {
	for lines := bufio.NewReader(out); ; {
		line, err := lines.ReadString('\n')
		if strings.HasPrefix(line, readyLine) {
			return true
		}
		fmt.Fprint(warnings, line)
		if err != nil {
			return false
		}
	}
}

// runArguments are the arguments of this command line, without the verb run.
func (a *App) runArguments(c *cobra.Command) ([]string, error) {
	_, args, err := c.Root().Find(a.args)
	return args, err
}

// detached returns a function that reports to the waiting silo that the program has started. Later output has no reader.
func (a *App) detached(p *runPlan) func() {
	if p.supervises == "" {
		return func() {}
	}
	return sync.OnceFunc(func() {
		fmt.Fprintln(a.Stderr, readyLine, p.name)
		if c, ok := a.Stderr.(io.Closer); ok {
			_ = c.Close() // the reader must see the end; there is nothing to flush
		}
		a.Stderr = io.Discard
	})
}
