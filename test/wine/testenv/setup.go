package testenv

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// Setup makes whatever of the test environment is missing or out of date: Debian packages, prefix, gap filler, containerd.exe and
// ctr.exe. It tells out what it does. Only one process sets up at a time, the others wait; done again, it only checks.
func Setup(ctx context.Context, out io.Writer) error {
	e, err := locate()
	if err != nil {
		return err
	}
	one, err := takeLock(e.path("setup.lock"), false)
	if err != nil {
		return fmt.Errorf("set up test environment: %w", err)
	}
	defer one.release() //nolint:errcheck // a lock on a file that nobody reads or writes
	if err := installPackages(ctx, out); err != nil {
		return err
	}
	if err := e.makePrefix(ctx, out); err != nil {
		return err
	}
	if err := e.fillGaps(ctx, out, gapStamp, gapLibraries); err != nil {
		return err
	}
	return e.fetch(ctx, out, daemonBuild(Daemons[0]))
}

// makePrefix makes the Wine prefix afresh when there is none, or when it is of another Wine.
func (e *Env) makePrefix(ctx context.Context, out io.Writer) error {
	version, err := exec.CommandContext(ctx, wineLoader, "--version").Output()
	if err != nil {
		return fmt.Errorf("ask wine for its version: %w", err)
	}
	key, err := keyOf([]string{"recipe 1", string(version)})
	if err != nil || e.current(prefixStamp, key) {
		return err
	}
	name := "make a prefix of " + strings.TrimSpace(string(version))
	return step(out, name, func() error {
		if err := e.Stop(ctx); err != nil {
			return err
		}
		if err := os.RemoveAll(e.path("prefix")); err != nil {
			return err
		}
		if err := os.MkdirAll(e.path("prefix"), 0o755); err != nil {
			return err
		}
		if err := e.startServer(ctx); err != nil {
			return err
		}
		defer e.Close() //nolint:errcheck // a lock on a file that nobody reads or writes
		for _, args := range [][]string{{"wineboot", "-i"}, {"winecfg", "-v", "win10"}} {
			if err := e.quiet(ctx, wineLoader, args...); err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
		}
		return e.setStamp(prefixStamp, key)
	})
}
