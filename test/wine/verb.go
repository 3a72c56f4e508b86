package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/siloshim/siloshim/test/wine/testenv"
)

// errUsage means that the command line is invalid.
var errUsage = errors.New("wrong usage")

// dispatch runs one verb.
func dispatch(ctx context.Context, args []string) error {
	verb := ""
	if len(args) > 0 {
		verb, args = args[0], args[1:]
	}
	switch verb {
	case "setup":
		return testenv.Setup(ctx, os.Stderr)
	case "build":
		return testenv.Build(ctx, os.Stderr, args...)
	case "daemons":
		if len(args) == 1 && args[0] == "-list" {
			fmt.Println(strings.Join(testenv.Daemons, " "))
			return nil
		}
		return testenv.BuildDaemons(ctx, os.Stderr, args...)
	case "crictl":
		return testenv.BuildCrictl(ctx, os.Stderr)
	case "prometheus":
		_, err := testenv.Prometheus(ctx, os.Stderr)
		return err
	case "programs":
		return testenv.FetchPrograms(ctx, os.Stderr)
	case "peers":
		return testenv.Peers(ctx, os.Stderr)
	case "host":
		if len(args) != 1 {
			return fmt.Errorf("%w: host DIR", errUsage)
		}
		return testenv.Host(ctx, os.Stderr, args[0])
	case "run":
		return run(ctx, args)
	case "with":
		return with(ctx, args)
	case "start":
		wine, err := testenv.Open(ctx)
		if err != nil {
			return err
		}
		return wine.Close()
	case "stop":
		return testenv.Stop(ctx)
	}
	fmt.Fprint(os.Stderr, usage)
	return errUsage
}

// run runs a Windows program on the standard streams, and ends it with all its descendants at the time limit.
func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	limit := flags.Duration("t", 0, "end the program after this time")
	if err := flags.Parse(args); err != nil || flags.NArg() == 0 {
		return fmt.Errorf("%w: run [-t LIMIT] EXE [ARGS]", errUsage)
	}
	wine, err := testenv.Open(ctx)
	if err != nil {
		return err
	}
	defer wine.Close() //nolint:errcheck // this process exits
	if *limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, *limit, fmt.Errorf("%s ran longer than %v", flags.Arg(0), *limit))
		defer cancel()
	}
	group := testenv.NewGroup()
	cmd := wine.Command(ctx, flags.Arg(0), flags.Args()[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	group.Add(cmd)
	err = cmd.Run()
	if ctx.Err() != nil {
		return errors.Join(context.Cause(ctx), group.Kill())
	}
	return ended(err)
}

// with runs a Linux command and then stops the server in every case, unless another command still uses it.
func with(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		return fmt.Errorf("%w: with -- COMMAND [ARGS]", errUsage)
	}
	wine, err := testenv.Open(ctx)
	if err != nil {
		return err
	}
	defer wine.Close() //nolint:errcheck // this process exits
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	// make and go test clean up after a signal.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	err = cmd.Run()
	if _, serr := wine.StopIfLast(context.WithoutCancel(ctx)); serr != nil {
		return errors.Join(err, serr)
	}
	return ended(err)
}

// ended converts the exit of a program to an exit code.
func ended(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Exited() {
		return exited(exit.ExitCode())
	}
	return err
}
