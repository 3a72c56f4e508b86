package e2e

import (
	"fmt"
	"testing"
	"time"
)

// podStatus is the output of "crictl inspectp".
type podStatus struct {
	Status struct {
		ID             string            `json:"id"`
		Metadata       metadata          `json:"metadata"`
		State          string            `json:"state"`
		CreatedAt      time.Time         `json:"createdAt"`
		RuntimeHandler string            `json:"runtimeHandler"`
		Labels         map[string]string `json:"labels"`
		Annotations    map[string]string `json:"annotations"`
	} `json:"status"`
	// Added by the shim's Sandbox API.
	Kind      string `json:"kind"`
	Workloads string `json:"workloads"`
}

// containerStatus is the output of "crictl inspect".
type containerStatus struct {
	Status struct {
		ID         string            `json:"id"`
		Metadata   metadata          `json:"metadata"`
		State      string            `json:"state"`
		ExitCode   int               `json:"exitCode"`
		Reason     string            `json:"reason"`
		CreatedAt  time.Time         `json:"createdAt"`
		StartedAt  time.Time         `json:"startedAt"`
		FinishedAt time.Time         `json:"finishedAt"`
		Labels     map[string]string `json:"labels"`
	} `json:"status"`
}

// inspectPod queries a pod.
func (n *node) inspectPod(t *testing.T, id string) (s podStatus) {
	t.Helper()
	n.query(t, &s, "inspectp", id)
	return s
}

// inspect queries a container.
func (n *node) inspect(t *testing.T, id string) (s containerStatus) {
	t.Helper()
	n.query(t, &s, "inspect", id)
	return s
}

// exited waits for the exit of a container.
func (n *node) exited(t *testing.T, id string) (s containerStatus) {
	t.Helper()
	until(t, "container "+id+" has exited", func() bool {
		s = n.inspect(t, id)
		return s.Status.State == "CONTAINER_EXITED"
	})
	return s
}

// awaitLine reads the words of the first line of a container's log.
func (n *node) awaitLine(t *testing.T, id string, words ...any) {
	t.Helper()
	until(t, "container "+id+" has printed a line", func() bool {
		_, err := fmt.Sscan(n.try(t, "logs", id).stdout, words...)
		return err == nil
	})
}
