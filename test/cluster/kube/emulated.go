package kube

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/siloshim/siloshim/test/wine/testenv"
)

// Emulation is what a node for Windows Server containers has on Wine.
type Emulation struct {
	Build  string   // of Windows, such as 20348: for the node's label, containerd and the shim
	Env    []string // of containerd: where the emulated Host Compute Service is
	Images []string // names of additional images
}

// StartEmulated starts a cluster with a node for Windows Server containers. HostProcess pods need another one: the emulation
// has no bind filter, which they use on newer builds of Windows.
func StartEmulated(ctx context.Context, wine *testenv.Env, e Emulation) (*Cluster, error) {
	return start(ctx, wine, func(ctx context.Context, c *control) (*Node, error) {
		n := newNode(c)
		n.osVersion, n.env = "10.0."+e.Build+".1", e.Env
		for _, name := range e.Images {
			n.images = append(n.images, testenv.Image{Name: name, OSVersion: n.osVersion})
		}
		if err := n.start(ctx, c); err != nil {
			return nil, errors.Join(fmt.Errorf("start node: %w", err), n.stop())
		}
		return n, nil
	})
}

// setVersion makes Wine report a version of Windows to the programs that start afterwards.
func (n *Node) setVersion(ctx context.Context, version string) error {
	build := strings.Split(version, ".")[2]
	return n.setValue(ctx, testenv.BuildKey, testenv.BuildValue, "REG_SZ", build)
}
