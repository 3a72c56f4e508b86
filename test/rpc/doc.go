// Package rpc tests the shim's executable through its interfaces to containerd, without containerd: it starts the shim,
// receives its events, serves its pipes and sends ttrpc requests. The tests are a Windows program; on Linux they run on Wine.
package rpc
