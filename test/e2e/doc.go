// Package e2e drives the shim as its users do: real containerd.exe and ctr.exe, on Wine. Its tests skip where there is
// no test environment.
package e2e
