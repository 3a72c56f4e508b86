// Package fault names the calls by which the shim acts on files and pipes, so that a test can have each of them fail,
// hang, or be the last one of the process. The kernel, the compute service, storage, network and containerd's events are
// behind interfaces, which tests wrap instead.
//
// Only a build with the tag faults has the points. Without it [Do] and [Call] are the call that they are given and
// nothing else.
package fault
