package event

import "github.com/containerd/containerd/api/events"

// Topic is the topic that containerd expects an event under, "" for an event that is no task's.
// See https://github.com/containerd/containerd/blob/main/core/runtime/v2/README.md#events.
func Topic(event any) string {
	switch event.(type) {
	case *events.TaskCreate:
		return "/tasks/create"
	case *events.TaskStart:
		return "/tasks/start"
	case *events.TaskOOM:
		return "/tasks/oom"
	case *events.TaskExit:
		return "/tasks/exit"
	case *events.TaskDelete:
		return "/tasks/delete"
	case *events.TaskExecAdded:
		return "/tasks/exec-added"
	case *events.TaskExecStarted:
		return "/tasks/exec-started"
	case *events.TaskPaused:
		return "/tasks/paused"
	case *events.TaskResumed:
		return "/tasks/resumed"
	case *events.TaskCheckpointed:
		return "/tasks/checkpointed"
	}
	return ""
}
