// Command peers measures the shim beside the reference shim, containerd-shim-runhcs-v1, in one run: it sends the same requests
// to the pipes of both, in turn. It prints medians and their ratio, because absolute times depend on the machine.
//
// It is a Windows program. `make bench-peers` runs it on Wine. On a real host both executables must be in one directory.
package main
