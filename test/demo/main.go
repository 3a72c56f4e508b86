// Command demo is the tour of `make demo`: real containerd.exe and ctr.exe run containers through the shim, on Wine. Each
// command is printed before its result, and the tour fails if a result is not as announced.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/siloshim/siloshim/test/wine/testenv"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := give(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		stop()
		os.Exit(1)
	}
}

// give runs the tour in the test environment and removes all that it created.
func give(ctx context.Context) (err error) {
	wine, err := testenv.Open(ctx)
	if err != nil {
		return err
	}
	defer wine.Close() //nolint:errcheck // the process ends here
	dir, err := os.MkdirTemp("", "silo-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	fmt.Println("\n# real containerd.exe 2.4.2 starts on Wine, with containerd-shim-silo-v1.exe beside it")
	daemon, err := wine.Containerd(ctx, "demo")
	if err != nil {
		return err
	}
	defer func() {
		if stopErr := daemon.Stop(); err == nil {
			err = stopErr
		}
	}()
	t := &tour{ctx: ctx, wine: wine, daemon: daemon, dir: dir}
	t.walk()
	return t.err
}
