package bootstrap

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/Microsoft/hcsshim/pkg/annotations"
	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/container/plan"
)

// dialTimeout bounds the question whether a sandbox's shim is there. It answers at once or not at all.
const dialTimeout = 2 * time.Second

// sandboxAddress finds the sandbox's shim through its bundle, which lies beside this one, and makes sure that
// it is there.
func sandboxAddress(p Params, sandbox string) (string, error) {
	if err := plan.ValidName("annotation "+annotations.KubernetesSandboxID, sandbox); err != nil {
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
