//go:build !faults

// Package fault names the calls of the shim on files and pipes, so that a test can make each of them fail, hang, or end
// the process. Other calls, on the kernel, the compute service, storage, network and events, are behind interfaces that
// tests wrap.
//
// Only a build with the tag faults has these fault points. Otherwise [Do] and [Call] just make the call.
package fault

// Enabled reports whether this build has fault points.
const Enabled = false

// Do makes the call of a fault point.
func Do[T any](_ string, call func() (T, error)) (T, error) { return call() }

// Call is [Do] for a call without a result.
func Call(_ string, call func() error) error { return call() }
