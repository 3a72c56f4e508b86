// Package kube validates the objects in deploy/kubernetes against the schemas that Kubernetes publishes.
//
//	module proxy ─► k8s.io/kubernetes/api/openapi-spec/v3 ─► Schemas ─► Validate(object)
//
// It is a separate module, because the project needs none of its requirements. The schemas are applied strictly: a field that
// they do not have is an error, as with kubectl apply --validate=strict.
package kube
