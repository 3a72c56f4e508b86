// Package kube starts a Kubernetes cluster of one Windows node in the Wine test environment: etcd, the control plane and an
// unmodified kubelet.exe, with real containerd and the shim. Everything listens on the loopback address, on free ports.
package kube
