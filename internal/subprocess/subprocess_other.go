//go:build !windows

package subprocess

import "os/exec"

// SeparateConsole does nothing: this system has no consoles.
func SeparateConsole(*exec.Cmd) {}
