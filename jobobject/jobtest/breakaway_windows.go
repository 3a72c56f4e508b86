package jobtest

import (
	"os/exec"
	"syscall"

	"golang.org/x/sys/windows"
)

// breakAway makes cmd start outside of the job of this process.
func breakAway(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_BREAKAWAY_FROM_JOB}
}
