package bootstrap

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/Microsoft/hcsshim/pkg/annotations"
	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/shim/spec"
)

// dialTimeout bounds the question whether a sandbox's shim is there. It answers at once or not at all.
const dialTimeout = 2 * time.Second

// sandboxOf returns the sandbox that a container joins, by the annotations that CRI gives it. A sandbox
// itself, and a container without CRI, has a shim of its own.
func sandboxOf(id string, a map[string]string) (sandbox string, joins bool) {
	sandbox = a[annotations.KubernetesSandboxID]
	return sandbox, a[annotations.KubernetesContainerType] == "container" && sandbox != "" && sandbox != id
}

// sandboxAddress finds the sandbox's shim through its bundle, which lies beside this one, and makes sure that
// it is there.
func sandboxAddress(p Params, sandbox string) (string, error) {
	if err := spec.ValidName("annotation "+annotations.KubernetesSandboxID, sandbox); err != nil {
		return "", err
	}
	data, err := os.ReadFile(filepath.Join(filepath.Dir(p.Bundle), sandbox, addressFile))
	if err != nil {
		return "", fmt.Errorf("find the shim of sandbox %s: %w: %w", sandbox, err, errdefs.ErrNotFound)
	}
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
	defer cancel()
	c, err := dial(ctx, string(data))
	if err != nil {
		return "", fmt.Errorf("connect to the shim of sandbox %s: %w: %w", sandbox, err, errdefs.ErrFailedPrecondition)
	}
	return string(data), c.Close()
}
