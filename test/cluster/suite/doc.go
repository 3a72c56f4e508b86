// Package suite tests the shim with an unmodified kubelet and a whole control plane, in the Wine test environment: every kind
// of workload with both sandboxers, and what must not end a container. `make cluster-test` runs it.
package suite
