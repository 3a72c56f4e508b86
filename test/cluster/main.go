//go:build unix

// Command cluster runs a Kubernetes cluster of one Windows node in the Wine test environment: an unmodified kubelet.exe and
// control plane, real containerd, and the shim. `make cluster` builds it, starts it and gives a tour; the cluster runs until
// `make cluster-down`.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/siloshim/siloshim/test/cluster/kube"
	"github.com/siloshim/siloshim/test/wine/testenv"
)

const usage = `usage: cluster VERB

  build              make the executables of Kubernetes and etcd for Windows into the cache
  build-e2e          make the end-to-end tests of Kubernetes and the programs of their images for Windows into the cache
  up                 start the cluster in the background, unless it runs, and apply deploy/kubernetes
  tour               show what the cluster runs; each result is checked
  down               delete the workloads, stop the cluster and remove its files
  kubectl ARG...     run kubectl.exe; as a program of the name kubectl this command does the same
`

var errUsage = errors.New("wrong usage")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	args := os.Args[1:]
	if name := filepath.Base(os.Args[0]); name == "kubectl" {
		args = append([]string{name}, args...)
	}
	err := dispatch(ctx, args)
	stop()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		os.Exit(exit.ExitCode())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1)
	}
}

// dispatch runs one verb.
func dispatch(ctx context.Context, args []string) error {
	verb := strings.Join(args[:min(len(args), 1)], "")
	wine, err := testenv.Open(ctx)
	if err != nil {
		return err
	}
	defer wine.Close() //nolint:errcheck // the process ends here
	switch verb {
	case "build":
		return kube.Build(ctx, os.Stdout, wine.Root())
	case "build-e2e":
		return kube.BuildE2E(ctx, os.Stdout, wine.Root())
	case "up":
		return up(ctx, wine)
	case "serve":
		return serve(ctx, wine)
	case "tour":
		return give(ctx, wine)
	case "down":
		return down(ctx, wine)
	case "kubectl":
		cmd := kube.Kubectl(ctx, wine, args[1:]...)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
		return cmd.Run()
	}
	fmt.Fprint(os.Stderr, usage)
	return errUsage
}
