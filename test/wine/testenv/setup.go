package testenv

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// Setup makes each part of the test environment that is missing or out of date: Debian packages, prefix, gap filler,
// containerd.exe and ctr.exe. It writes its progress to out. One process at a time sets up, and others wait. If nothing is
// to be made, it only checks.
func Setup(ctx context.Context, out io.Writer) error {
	e, err := locate()
	if err != nil {
		return err
	}
	one, err := takeLock(e.path("setup.lock"), false)
	if err != nil {
		return fmt.Errorf("set up test environment: %w", err)
	}
	defer one.release() //nolint:errcheck // the file has no content
	if err := installPackages(ctx, out); err != nil {
		return err
	}
	if err := e.makePrefix(ctx, out); err != nil {
		return err
	}
	if err := e.setServiceTimeout(ctx); err != nil {
		return err
	}
	if err := e.fillGaps(ctx, out, gapStamp, gapLibraries); err != nil {
		return err
	}
	return e.fetch(ctx, out, daemonBuild(Daemons[0]))
}

// makePrefix makes a new Wine prefix if there is none, or if it was made by another version of Wine.
func (e *Env) makePrefix(ctx context.Context, out io.Writer) error {
	version, err := exec.CommandContext(ctx, wineLoader, "--version").Output()
	if err != nil {
		return fmt.Errorf("query the version of wine: %w", err)
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
		defer e.Close() //nolint:errcheck // the file has no content
		for _, args := range [][]string{{"wineboot", "-i"}, {"winecfg", "-v", "win10"}} {
			if err := e.quiet(ctx, wineLoader, args...); err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
		}
		return e.setStamp(prefixStamp, key)
	})
}

// serviceTimeout is how long a service may take to answer the service manager, in milliseconds. Windows gives 30 s, Wine
// 10 s, which a busy machine needs to load a program.
const serviceTimeout = "180000"

// setServiceTimeout sets it. Wine's service manager reads it when the server starts.
func (e *Env) setServiceTimeout(ctx context.Context) error {
	key, err := keyOf([]string{serviceTimeout})
	if err != nil || e.current(serviceStamp, key) {
		return err
	}
	if err := e.startServer(ctx); err != nil {
		return err
	}
	defer e.Close() //nolint:errcheck // the file has no content
	err = e.quiet(ctx, wineLoader, "reg", "add", `HKLM\System\CurrentControlSet\Control`, "/v", "ServicesPipeTimeout", "/d", serviceTimeout, "/f")
	if err != nil {
		return fmt.Errorf("set the timeout of services: %w", err)
	}
	if _, err := e.StopIfLast(ctx); err != nil {
		return err
	}
	return e.setStamp(serviceStamp, key)
}
