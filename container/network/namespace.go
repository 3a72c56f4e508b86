// Package network makes network namespaces for Windows Server containers.
package network

import (
	"fmt"

	"github.com/siloshim/siloshim/container/resource"
)

// Namespaces are the network namespaces of a machine: the seam to the Host Networking Service. Taking away what is not
// there is no error. A Namespaces is safe for concurrent use.
type Namespaces interface {
	// CreateNamespace makes a namespace with this GUID.
	CreateNamespace(id string) error
	// AddEndpoint joins an endpoint to a namespace, by their GUIDs.
	AddEndpoint(namespace, endpoint string) error
	// RemoveEndpoint takes an endpoint out of a namespace; the endpoint stays.
	RemoveEndpoint(namespace, endpoint string) error
	// DeleteNamespace wants the endpoints to be out of the namespace.
	DeleteNamespace(id string) error
}

// Make makes the namespace id with endpoints. Its resources must be reserved.
func Make(n Namespaces, id string, endpoints []string, r *resource.Record) error {
	for _, x := range Resources(id, endpoints) {
		r.Begin(x)
	}
	if err := n.CreateNamespace(id); err != nil {
		return fmt.Errorf("create network namespace %s: %w", id, err)
	}
	for _, endpoint := range endpoints {
		if err := n.AddEndpoint(id, endpoint); err != nil {
			return fmt.Errorf("add endpoint %s to network namespace %s: %w", endpoint, id, err)
		}
	}
	return nil
}

// Resources are what a namespace with endpoints is, in the order in which it is made.
func Resources(id string, endpoints []string) []resource.Resource {
	list := []resource.Resource{{Kind: resource.Namespace, Name: id}}
	for _, endpoint := range endpoints {
		list = append(list, resource.Resource{Kind: resource.Endpoint, Name: endpoint, In: id})
	}
	return list
}
