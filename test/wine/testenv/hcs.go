package testenv

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// computeService are the DLLs of the emulated Host Compute Service (HCS) that are written in C, with their sources.
var computeService = map[string][]string{
	"vmcompute.dll":      {"dll/storage.c", "dll/image.c"},
	"computenetwork.dll": {"dll/network.c"},
}

// BuildComputeService builds the emulated HCS of test/hcsim into a directory, which WINEGAP_DLLS then names.
func BuildComputeService(ctx context.Context, root, dir string) error {
	source := filepath.Join(root, "test", "hcsim")
	for name, files := range computeService {
		args := append(append(append([]string{}, gapFlags...), "-o", filepath.Join(dir, name)), files...)
		if err := runIn(source, exec.CommandContext(ctx, gapCompiler, append(args, "-lkernel32")...)); err != nil {
			return fmt.Errorf("build %s: %w", name, err)
		}
	}
	core := exec.CommandContext(ctx, "go", "build", "-tags", "no_grpc", "-trimpath", "-buildmode=c-shared", "-ldflags", "-s -w",
		"-o", filepath.Join(dir, "computecore.dll"))
	core.Env = append(os.Environ(), "CGO_ENABLED=1", "CC="+gapCompiler, "GOOS=windows", "GOARCH=amd64")
	if err := runIn(source, core); err != nil {
		return fmt.Errorf("build computecore.dll: %w", err)
	}
	return nil
}

// runIn runs a command in a directory.
func runIn(dir string, cmd *exec.Cmd) error {
	cmd.Dir = dir
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, text)
	}
	return nil
}
