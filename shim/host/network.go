package host

import (
	"crypto/rand"
	"fmt"

	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/container/resource"
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
func makeNamespace(n Network, id string, planned *plan.WCOW, r *resource.Record) error {
	for _, x := range namespaceResources(id, planned.Endpoints) {
		r.Begin(x)
	}
	if err := n.CreateNamespace(id); err != nil {
		return fmt.Errorf("create network namespace %s: %w", id, err)
	}
	for _, endpoint := range planned.Endpoints {
		if err := n.AddEndpoint(id, endpoint); err != nil {
			return fmt.Errorf("add endpoint %s to network namespace %s: %w", endpoint, id, err)
		}
	}
	return nil
}

// namespaceResources are what a namespace with endpoints is, in the order in which it is made.
func namespaceResources(id string, endpoints []string) []resource.Resource {
	list := []resource.Resource{{Kind: resource.Namespace, Name: id}}
	for _, endpoint := range endpoints {
		list = append(list, resource.Resource{Kind: resource.Endpoint, Name: endpoint, In: id})
	}
	return list
}
