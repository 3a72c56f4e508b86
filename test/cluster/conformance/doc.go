// Package conformance runs Kubernetes' own end-to-end tests against the shim, in the Wine test environment: the cases of
// cases.txt, each in a HostProcess pod. `make cluster-e2e` runs it.
package conformance
