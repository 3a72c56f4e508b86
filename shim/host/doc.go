// Package host makes the containers of this machine out of its kernel objects, for the shim above.
//
// A [Job] is a job container (Kubernetes calls it HostProcess): one job object whose members are the container. The
// job ends its members when its last handle closes, and the shim holds the only one. It works on the host's files, or
// has a root file system, mounts and an account of its own besides.
//
// A [Server] is a Windows Server container: a compute system of the Host Compute Service over mounted layers, in a
// network namespace, with the credentials of an account.
//
// What either has of the machine is written down in the bundle before it is made, and given back in reverse: by Close,
// or by [Host.Cleanup] when the shim has died. Layers are never taken from under a system that has not exited.
//
// The functions of Windows are behind [Storage], [Network], [Files] and [Accounts]; hosttest simulates them.
package host
