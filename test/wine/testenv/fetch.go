package testenv

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// foreign is a set of commands of another module, cross-built from the Go module proxy.
type foreign struct {
	name    string // for messages and for the directory of its sources
	module  string
	version string
	pkgs    []string // command packages below module
	suffix  string   // of the executables' names, before ".exe"
	// sums are lines of go.sum that a checksum database may lack.
	sums string
}

// exe is the file name of a command.
func (f foreign) exe(pkg string) string { return filepath.Base(pkg) + f.suffix + ".exe" }

// runhcsBuild is the reference shim. v0.15.0 needs a module that the proxy does not have.
var runhcsBuild = foreign{
	name: "hcsshim", module: "github.com/Microsoft/hcsshim", version: "v0.14.1",
	pkgs: []string{"cmd/containerd-shim-runhcs-v1"},
}

// Peers builds the reference shim, containerd-shim-runhcs-v1.exe, and installs it beside ours, for comparisons. It needs a
// containerd that was started with WINEGAP=peer, and two layer folders in the OCI specification, which may be empty.
func Peers(ctx context.Context, out io.Writer) error {
	e, err := locate()
	if err != nil {
		return err
	}
	if err := e.fillGaps(ctx, out, peerStamp, peerLibraries); err != nil {
		return err
	}
	return e.fetch(ctx, out, runhcsBuild)
}

// cached builds the commands into .bed/cache, unless it has this version. It returns the key of the version.
func (e *Env) cached(ctx context.Context, out io.Writer, f foreign) (key string, err error) {
	key, err = keyOf([]string{f.module, f.version, strings.Join(f.pkgs, " "), runtime.Version()})
	built := "cache/.stamp-" + f.name
	if err != nil || e.current(built, key) {
		return key, err
	}
	name := fmt.Sprintf("build %s %s for windows/amd64 (one to five minutes)", f.name, f.version)
	return key, step(out, name, func() error {
		if err := e.crossBuild(ctx, f); err != nil {
			return err
		}
		return e.setStamp(built, key)
	})
}

// fetch builds the commands and installs them in the prefix, unless that has this version.
func (e *Env) fetch(ctx context.Context, out io.Writer, f foreign) error {
	key, err := e.cached(ctx, out, f)
	if err != nil {
		return err
	}
	placed := "prefix/.stamp-" + f.name
	if e.current(placed, key) {
		return nil
	}
	for _, pkg := range f.pkgs {
		exe := f.exe(pkg)
		if err := install(e.path("cache", exe), e.UnixPath(binWindows+`\`+exe)); err != nil {
			return fmt.Errorf("install %s: %w", exe, err)
		}
	}
	return e.setStamp(placed, key)
}

// crossBuild builds the commands from a module that requires theirs: "go install" refuses modules with replace directives,
// and refuses GOBIN for another GOOS.
func (e *Env) crossBuild(ctx context.Context, f foreign) error {
	src := e.path("src", f.name)
	if err := os.RemoveAll(src); err != nil {
		return err
	}
	if err := os.MkdirAll(src, 0o755); err != nil {
		return err
	}
	mod := fmt.Sprintf("module test.invalid/%s\n\ngo 1.26\n", f.name)
	if err := os.WriteFile(filepath.Join(src, "go.mod"), []byte(mod), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(src, "go.sum"), []byte(f.sums), 0o644); err != nil {
		return err
	}
	get := []string{"get"}
	for _, pkg := range f.pkgs {
		get = append(get, f.module+"/"+pkg+"@"+f.version)
	}
	if err := goWindows(ctx, src, get...); err != nil {
		return err
	}
	for _, pkg := range f.pkgs {
		exe := e.path("cache", f.exe(pkg))
		if err := goWindows(ctx, src, "build", "-trimpath", "-ldflags", "-s -w", "-o", exe, f.module+"/"+pkg); err != nil {
			return err
		}
	}
	return nil
}

// goWindows runs the go command for windows/amd64 in dir.
func goWindows(ctx context.Context, dir string, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0", "GOWORK=off")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go %s: %w\n%s", args[0], err, text)
	}
	return nil
}
