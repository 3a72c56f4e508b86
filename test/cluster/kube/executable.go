package kube

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// ErrNotBuilt means that an executable of the cluster is not in the cache. The error that wraps it names the executable.
var ErrNotBuilt = errors.New("not built; run make cluster")

// commands are the packages of the executables, in the order in which they are built.
var commands = []string{
	"k8s.io/kubernetes/cmd/kubelet",
	"k8s.io/kubernetes/cmd/kube-apiserver",
	"k8s.io/kubernetes/cmd/kube-controller-manager",
	"k8s.io/kubernetes/cmd/kube-scheduler",
	"k8s.io/kubernetes/cmd/kubectl",
	etcdCommand,
	metricsCommand,
}

const (
	etcdCommand    = "go.etcd.io/etcd/server/v3"
	metricsCommand = "sigs.k8s.io/metrics-server/cmd/metrics-server" // a cluster runs without it
)

// nameOf is the name of a command's executable, without ".exe".
func nameOf(command string) string {
	if command == etcdCommand {
		return "etcd"
	}
	return path.Base(command)
}

// metricsModule is the directory of the module that requires metrics-server. Its requirements would change those of Kubernetes.
func metricsModule(root string) string {
	return filepath.Join(root, "test", "cluster", "programs", "metrics")
}

// cacheDir is the directory of the executables.
func cacheDir(root string) string { return filepath.Join(root, ".bed", "cache") }

// Built returns an error that wraps [ErrNotBuilt] if the cache of the module at root lacks an executable, except metrics-server.
func Built(root string) error {
	for _, command := range commands {
		if err := built(root, command); err != nil && command != metricsCommand {
			return err
		}
	}
	return nil
}

// built is Built for one command.
func built(root, command string) error {
	exe := nameOf(command) + ".exe"
	if _, err := os.Stat(filepath.Join(cacheDir(root), exe)); err != nil {
		return fmt.Errorf("%s: %w", exe, ErrNotBuilt)
	}
	return nil
}

// Build builds the executables for Windows into the cache of the module at root, and writes its progress to out. Go's
// build cache makes it fast if nothing changed.
func Build(ctx context.Context, out io.Writer, root string) error {
	module := filepath.Join(root, "test", "cluster", "programs")
	version, err := kubernetesVersion(filepath.Join(module, "go.mod"))
	if err != nil {
		return err
	}
	for i, command := range commands {
		if command == metricsCommand {
			module = metricsModule(root)
		}
		label := fmt.Sprintf("cluster: build %s.exe (%d of %d)", nameOf(command), i+1, len(commands))
		if err := build(ctx, out, label, module, []string{"build", "-v"}, command, version, filepath.Join(cacheDir(root), nameOf(command)+".exe")); err != nil {
			return fmt.Errorf("build %s: %w", command, err)
		}
	}
	return nil
}

// required matches the version of Kubernetes in go.mod.
var required = regexp.MustCompile(`(?m)^\s*k8s\.io/kubernetes v(\d+)\.(\d+)(\.\S+)`)

// kubernetesVersion returns the linker flags with the version that go.mod requires: the programs print it, and kubectl
// compares it.
func kubernetesVersion(gomod string) (string, error) {
	text, err := os.ReadFile(gomod)
	if err != nil {
		return "", err
	}
	v := required.FindSubmatch(text)
	if v == nil {
		return "", fmt.Errorf("%s requires no k8s.io/kubernetes", gomod)
	}
	const variable = " -X k8s.io/component-base/version."
	return fmt.Sprintf("-s -w%sgitVersion=v%s.%s%s%sgitMajor=%s%sgitMinor=%s", variable, v[1], v[2], v[3], variable, v[1], variable, v[2]), nil
}

// build builds one command with a verb of go and its flags. go build -v prints each package that it compiles.
func build(ctx context.Context, out io.Writer, label, module string, verb []string, command, flags, exe string) error {
	begin := time.Now()
	cmd := exec.CommandContext(ctx, "go", append(verb, "-trimpath", "-ldflags", flags, "-o", exe, command)...)
	cmd.Dir = module
	cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0", "GOWORK=off")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	elapsed := func() time.Duration { return time.Since(begin).Round(time.Second) }
	const interval = 20 * time.Second
	packages, last, printed := 0, []string{}, begin
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		packages++
		if last = append(last, lines.Text()); len(last) > 20 {
			last = last[1:]
		}
		if time.Since(printed) >= interval {
			printed = time.Now()
			fmt.Fprintf(out, "%s: %d packages, %v\n", label, packages, elapsed())
		}
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, strings.Join(last, "\n"))
	}
	fmt.Fprintf(out, "%s: done in %v, %d packages compiled\n", label, elapsed(), packages)
	return nil
}
