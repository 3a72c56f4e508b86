// Package network makes network namespaces for Windows Server containers.
package network

import (
	"fmt"

	"github.com/siloshim/siloshim/container/resource"
)

// Namespaces has the network namespaces of a machine, which the Host Networking Service manages. Releasing what does not
// exist is no error. A Namespaces is safe for concurrent use.
type Namespaces interface {
	// CreateNamespace makes a namespace with this GUID.
	CreateNamespace(id string) error
	// AddEndpoint adds an endpoint to a namespace, by their GUIDs.
	AddEndpoint(namespace, endpoint string) error
	// RemoveEndpoint removes an endpoint from a namespace. The endpoint itself stays.
	RemoveEndpoint(namespace, endpoint string) error
	// DeleteNamespace deletes a namespace that has no endpoints.
	DeleteNamespace(id string) error
}

// Make makes the namespace id with endpoints. The caller has reserved its resources. After an error the record releases
// what was made.
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

// Resources lists what Make makes, in that order.
func Resources(id string, endpoints []string) []resource.Resource {
	list := []resource.Resource{{Kind: resource.Namespace, Name: id}}
	for _, endpoint := range endpoints {
		list = append(list, resource.Resource{Kind: resource.Endpoint, Name: endpoint, In: id})
	}
	return list
}
