// Package service serves containerd's Task API, version 3 and version 2, for the tasks of one shim process.
//
// A request goes through one interceptor (span, panic, error class), is decoded, handed to a task of shim/task and
// its answer encoded. What a container is made of comes from a [Host], which cmd wires in; shim/host has the kinds.
//
// See https://github.com/containerd/containerd/blob/main/core/runtime/v2/README.md for the contract.
package service
