package host

import (
	"crypto/rand"
	"fmt"

	"github.com/siloshim/siloshim/shim/spec"
)

// Network makes network namespaces: the seam to the Host Networking Service. Taking away what is not there is no
// error. A Network is safe for concurrent use.
type Network interface {
	// CreateNamespace makes a namespace with this GUID.
	CreateNamespace(id string) error
	// AddEndpoint joins an endpoint to a namespace, by their GUIDs.
	AddEndpoint(namespace, endpoint string) error
	// RemoveEndpoint takes an endpoint out of a namespace; the endpoint stays.
	RemoveEndpoint(namespace, endpoint string) error
	// DeleteNamespace wants the endpoints to be out of the namespace.
	DeleteNamespace(id string) error
}

// newGUID makes a random one.
func newGUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// makeNamespace makes the namespace id with a plan's endpoints.
func makeNamespace(n Network, id string, plan *spec.Server, u *undo) error {
	undoNamespace(n, id, plan.Endpoints, u)
	if err := n.CreateNamespace(id); err != nil {
		return fmt.Errorf("create network namespace %s: %w", id, err)
	}
	for _, endpoint := range plan.Endpoints {
		if err := n.AddEndpoint(id, endpoint); err != nil {
			return fmt.Errorf("add endpoint %s to network namespace %s: %w", endpoint, id, err)
		}
	}
	return nil
}

// undoNamespace leaves to u to empty the namespace id and to delete it.
func undoNamespace(n Network, id string, endpoints []string, u *undo) {
	u.push("delete network namespace "+id, func() error { return n.DeleteNamespace(id) })
	for _, endpoint := range endpoints {
		u.push("remove endpoint "+endpoint+" from network namespace "+id, func() error { return n.RemoveEndpoint(id, endpoint) })
	}
}
