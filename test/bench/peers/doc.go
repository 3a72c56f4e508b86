// Command peers measures the shim beside the reference shim, containerd-shim-runhcs-v1, in one run: both are driven
// straight at their pipes with the same requests, in turns, on the same machine. What it prints are medians and their
// ratio; a time alone says nothing on a shared machine.
//
// It is a Windows program. `make bench-peers` runs it on Wine. Of a real host it needs both executables side by side.
package main
