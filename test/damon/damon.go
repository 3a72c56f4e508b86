// Package damon builds Damon 0.1.1 and its test program, to run beside silo supervise. The source comes from the Go module
// proxy.
package damon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// module is at its last version.
const (
	module  = "github.com/jet/damon"
	version = "v0.1.1"
)

// ErrMissing means that this machine cannot get the source.
var ErrMissing = errors.New("no way to Damon's source, as of a Go module proxy")

// Build builds both for Windows into dir, from a module that is made for it: so our go.mod does not have their requirements.
func Build(ctx context.Context, dir string) (supervisor, workloads string, err error) {
	supervisor, workloads = filepath.Join(dir, "damon011.exe"), filepath.Join(dir, "testcmd.exe")
	source := filepath.Join(dir, "damon-module")
	if err := os.MkdirAll(source, 0o755); err != nil {
		return "", "", err
	}
	if err := os.WriteFile(filepath.Join(source, "go.mod"), []byte("module peer.invalid/damon\n\ngo 1.26\n"), 0o644); err != nil {
		return "", "", err
	}
	run := func(args ...string) error {
		cmd := exec.CommandContext(ctx, "go", args...)
		cmd.Dir = source
		cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0", "GOFLAGS=-mod=mod", "GOWORK=off")
		if text, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("go %s: %w\n%s", args[0], err, text)
		}
		return nil
	}
	if err := run("get", module+"@"+version, module+"/testcmd@"+version); err != nil {
		return "", "", fmt.Errorf("%w: %w", ErrMissing, err)
	}
	build := func(exe, pkg string) error { return run("build", "-trimpath", "-ldflags", "-s -w", "-o", exe, pkg) }
	return supervisor, workloads, errors.Join(build(supervisor, module), build(workloads, module+"/testcmd"))
}
