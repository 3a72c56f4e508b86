package service

import (
	"github.com/containerd/log"

	"github.com/siloshim/siloshim/internal/logfield"
	"github.com/siloshim/siloshim/shim/task"
)

// reason is the key of the reason of an exit in the log.
const reason = "reason"

// exited logs the exits of a task. Only the plain ones are of no interest to whoever has not asked for all of it.
func exited(id string) func(*task.Process, task.Status) {
	return func(p *task.Process, s task.Status) {
		level := log.InfoLevel
		if s.Reason == task.ReasonExited {
			level = log.DebugLevel
		}
		fields := log.Fields{
			logfield.ContainerID: id, logfield.Pid: s.Pid, logfield.Status: s.Exit, reason: s.Reason.String(),
		}
		if p.ID != "" {
			fields[logfield.ExecID] = p.ID
		}
		log.L.WithFields(fields).Log(level, "process has ended")
	}
}
