package probe

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// kubelet writes the volumes of ConfigMaps, Secrets and tokens with symbolic links. On Wine they need WINEGAP=kubelet.
func TestSymlinks_RenamedAndRemoved_TargetStays(t *testing.T) { asKubelet(t, "links") }

// asKubelet runs this binary as a workload with what kubelet gets.
func asKubelet(t *testing.T, mode string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "PROBE_CHILD="+mode, "WINEGAP=kubelet")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, text)
	}
}

// endAfter runs do and exits with its result.
func endAfter(do func() error) {
	if err := do(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// useLinks replaces a link to a directory by another in one step, reads a file through it, and removes the tree.
func useLinks() error {
	for _, version := range []string{"v1", "v2"} {
		if err := errors.Join(
			os.MkdirAll(filepath.Join("volume", version), 0o755),
			os.WriteFile(filepath.Join("volume", version, "key"), []byte(version), 0o644),
			os.Symlink(version, filepath.Join("volume", "next")),
			os.Rename(filepath.Join("volume", "next"), filepath.Join("volume", "current")),
		); err != nil {
			return err
		}
		if target, err := os.Readlink(filepath.Join("volume", "current")); err != nil || target != version {
			return fmt.Errorf("the link leads to %q, %w", target, err)
		}
		if text, err := os.ReadFile(filepath.Join("volume", "current", "key")); err != nil || string(text) != version {
			return fmt.Errorf("through the link there is %q, %w", text, err)
		}
	}
	if err := os.Remove(filepath.Join("volume", "current")); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join("volume", "v2", "key")); err != nil {
		return fmt.Errorf("the target of a removed link: %w", err)
	}
	if err := os.Symlink(filepath.Join("..", "v2"), filepath.Join("volume", "v1", "other")); err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join("volume", "v1")); err != nil {
		return err
	}
	_, err := os.Stat(filepath.Join("volume", "v2", "key"))
	return err
}
