//go:build !windows

// Package subprocess prepares programs that the shim starts outside of containers.
package subprocess

import "os/exec"

// SeparateConsole does nothing: this system has no consoles.
func SeparateConsole(*exec.Cmd) {}
