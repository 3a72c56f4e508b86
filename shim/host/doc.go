// Package host makes the containers of this machine out of its kernel objects, for the shim above.
//
// A [Job] is a job container (Kubernetes calls it HostProcess): one job object whose members are the container. The
// job ends its members when its last handle closes, and the shim holds the only one.
package host
