// Package e2e tests the shim as its users run it: with real containerd.exe and ctr.exe, on Wine. Without the test
// environment its tests are skipped.
package e2e
