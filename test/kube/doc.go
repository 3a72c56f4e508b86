// Package kube validates the objects in deploy/ against the schemas that Kubernetes publishes.
//
//	module proxy ─► k8s.io/kubernetes/api/openapi-spec/v3 ─► Schemas ─► Validate(object)
//
// It is a module of its own, as what it needs is nothing that the project needs. The schemas are validated against
// strictly: a field that they do not name is an error, as it would be with kubectl apply --validate=strict.
package kube
