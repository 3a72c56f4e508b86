package kube

import (
	"context"
	"fmt"
	"time"
)

// Pod has the fields of a pod that the tests read.
type Pod struct {
	Metadata struct {
		Name, Namespace, UID string
		Labels               map[string]string
	}
	Spec   struct{ RuntimeClassName string }
	Status struct {
		Phase, Reason, PodIP       string
		Conditions                 []Condition
		ContainerStatuses          []ContainerStatus
		InitContainerStatuses      []ContainerStatus
		EphemeralContainerStatuses []ContainerStatus
	}
}

// Condition is a condition of a pod or a node.
type Condition struct{ Type, Status, Reason, Message string }

// ContainerStatus is the state of a container.
type ContainerStatus struct {
	Name, ContainerID string
	Ready, Started    bool
	RestartCount      int
	State, LastState  struct {
		Waiting    *struct{ Reason, Message string }
		Running    *struct{ StartedAt string }
		Terminated *struct {
			ExitCode        int
			Reason, Message string
			FinishedAt      time.Time
		}
	}
}

// Ready reports whether the pod has the condition Ready.
func (p *Pod) Ready() bool { return holds(p.Status.Conditions, "Ready") }

func holds(conditions []Condition, kind string) bool {
	for _, c := range conditions {
		if c.Type == kind {
			return c.Status == "True"
		}
	}
	return false
}

// Pods lists the pods of a namespace; the selector may be empty.
func (a *API) Pods(ctx context.Context, namespace, selector string) ([]Pod, error) {
	var list struct{ Items []Pod }
	path := "api/v1/namespaces/" + namespace + "/pods"
	if namespace == "" {
		path = "api/v1/pods"
	}
	if selector != "" {
		path += "?labelSelector=" + selector
	}
	err := a.Get(ctx, path, &list)
	return list.Items, err
}

// nodeReady reports whether the node is ready. Its error is the reason why not.
func (a *API) nodeReady(ctx context.Context) (bool, error) {
	var node struct {
		Status struct{ Conditions []Condition }
	}
	if err := a.Get(ctx, "api/v1/nodes/"+NodeName, &node); err != nil {
		return false, err
	}
	for _, c := range node.Status.Conditions {
		if c.Type == "Ready" && c.Status != "True" {
			return false, fmt.Errorf("%s: %s", c.Reason, c.Message)
		}
	}
	return holds(node.Status.Conditions, "Ready"), nil
}
