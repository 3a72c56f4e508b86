package bootstrap

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/Microsoft/hcsshim/pkg/annotations"
	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/internal/pipe"
	"github.com/siloshim/siloshim/internal/readlimit"
)

// addressFile is where start leaves the address for the containers that join this one's shim, and for a
// containerd before 1.7 to find it after a restart.
const addressFile = "address"

// dialTimeout bounds the check that a sandbox's shim accepts connections. A shim that runs accepts at once.
const dialTimeout = 2 * time.Second

// sandboxAddress finds the sandbox's shim through its bundle, which lies beside this one, and makes sure that
// it accepts connections.
func sandboxAddress(p Params, sandbox string) (string, error) {
	if err := plan.ValidName("annotation "+annotations.KubernetesSandboxID, sandbox); err != nil {
		return "", err
	}
	data, err := readlimit.File(filepath.Join(filepath.Dir(p.Bundle), sandbox, addressFile), readlimit.Text)
	if err != nil {
		return "", fmt.Errorf("find the shim of sandbox %s: %w: %w", sandbox, err, errdefs.ErrNotFound)
	}
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
	defer cancel()
	c, err := pipe.Dial(ctx, string(data))
	if err != nil {
		return "", fmt.Errorf("connect to the shim of sandbox %s: %w: %w", sandbox, err, errdefs.ErrFailedPrecondition)
	}
	return string(data), c.Close()
}
