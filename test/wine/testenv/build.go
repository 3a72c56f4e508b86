package testenv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
)

// own are the commands of this module that [Env.Build] builds, as package paths below its root.
var own = []string{"cmd/containerd-shim-silo-v1", "test/payload"}

// Build cross-builds the given commands of this module, or all, and installs them in the prefix. Go's build cache makes it
// fast if nothing changed.
func Build(ctx context.Context, out io.Writer, names ...string) error {
	e, err := locate()
	if err != nil {
		return err
	}
	if !e.stamped(prefixStamp) {
		return errors.New("build for the test environment: it is not set up; run make bed")
	}
	for _, name := range names {
		if !slices.ContainsFunc(own, func(pkg string) bool { return filepath.Base(pkg) == name }) {
			return fmt.Errorf("build %s: no such command; there are %s", name, strings.Join(own, ", "))
		}
	}
	for _, pkg := range own {
		name := filepath.Base(pkg)
		if len(names) > 0 && !slices.Contains(names, name) {
			continue
		}
		err := step(out, "build "+name+".exe", func() error {
			exe := e.path("bin", name+".exe")
			err := goWindows(ctx, e.root, "build", "-tags", "no_grpc", "-trimpath", "-ldflags", "-s -w", "-o", exe, "./"+pkg)
			if err != nil {
				return err
			}
			return install(exe, e.UnixPath(e.Exe(name)))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Host builds all commands for a Windows host, without Wine, into a directory: those of this module, containerd and the
// reference shim.
func Host(ctx context.Context, out io.Writer, dir string) error {
	e, err := locate()
	if err != nil {
		return err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	for _, pkg := range slices.Concat(own, []string{"cmd/silo"}) {
		exe := filepath.Join(dir, filepath.Base(pkg)+".exe")
		if err := step(out, "build "+filepath.Base(exe), func() error {
			return goWindows(ctx, e.root, "build", "-tags", "no_grpc", "-trimpath", "-ldflags", "-s -w", "-o", exe, "./"+pkg)
		}); err != nil {
			return err
		}
	}
	for _, f := range []foreign{daemonBuild(Daemons[0]), runhcsBuild} {
		if _, err := e.cached(ctx, out, f); err != nil {
			return err
		}
		for _, pkg := range f.pkgs {
			if err := install(e.path("cache", f.exe(pkg)), filepath.Join(dir, f.exe(pkg))); err != nil {
				return err
			}
		}
	}
	return nil
}
