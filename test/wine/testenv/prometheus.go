package testenv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// ErrNoPrometheus means that this machine has no Prometheus and cannot get Debian's package. The error that wraps it has the
// cause.
var ErrNoPrometheus = errors.New("no Prometheus; install the package prometheus, or let apt-get download it")

// prometheusPrograms are the programs of the package.
var prometheusPrograms = []string{"prometheus", "promtool"}

// Prometheus returns the directory of prometheus and promtool: that of the installed ones, or the cache, into which it
// unpacks Debian's package. Nothing is installed, because the package would start a service.
func Prometheus(ctx context.Context, out io.Writer) (dir string, err error) {
	if path, err := exec.LookPath(prometheusPrograms[0]); err == nil {
		if _, err := os.Stat(filepath.Join(filepath.Dir(path), prometheusPrograms[1])); err == nil {
			return filepath.Dir(path), nil
		}
	}
	e, err := locate()
	if err != nil {
		return "", err
	}
	dir = e.path("cache", "prometheus")
	if _, err := os.Stat(filepath.Join(dir, prometheusPrograms[1])); err == nil {
		return dir, nil
	}
	err = step(out, "download the Debian package prometheus", func() error { return e.unpackPrometheus(ctx, dir) })
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoPrometheus, err)
	}
	return dir, nil
}

// unpackPrometheus puts the programs of the package into dir.
func (e *Env) unpackPrometheus(ctx context.Context, dir string) (err error) {
	if err := os.MkdirAll(e.path("cache"), 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp(e.path("cache"), "prometheus.*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	if err := inDir(ctx, work, "apt-get", "download", "-q", "prometheus"); err != nil {
		return fmt.Errorf("%w\nwithout package lists, run apt-get update first", err)
	}
	found, err := filepath.Glob(filepath.Join(work, "prometheus_*.deb"))
	if err != nil {
		return err
	}
	if len(found) != 1 {
		return fmt.Errorf("apt-get download left %d packages, want one", len(found))
	}
	if err := inDir(ctx, work, "dpkg-deb", "-x", found[0], "files"); err != nil {
		return err
	}
	for _, name := range prometheusPrograms {
		if err := install(filepath.Join(work, "files", "usr", "bin", name), filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// inDir runs a command in a directory.
func inDir(ctx context.Context, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, args[0], err, text)
	}
	return nil
}
