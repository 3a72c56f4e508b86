package prom

import "strings"

// Pod is the pod of a container in Kubernetes.
type Pod struct {
	Namespace, Name string
	Container       string // the container's name in the pod; empty for the sandbox
}

// labels name a container. The first three are those of cAdvisor, so that the usual queries work. A container without a pod
// has its namespace in containerd, and its pod and container are empty, which to Prometheus is no label.
var labels = []string{"namespace", "pod", "container", "container_id", "kind"}

// labelValues returns the values of labels. Pods come from what other programs have written. So two containers may claim the
// same names, and two equal series would fail the scrape: the later container then has those without its pod.
func (c *Container) labelValues(used map[string]bool) []string {
	values := []string{c.Namespace, "", "", c.ID, c.Kind}
	if c.Pod != nil && c.Pod.Name != "" {
		named := []string{c.Pod.Namespace, c.Pod.Name, c.Pod.Container, c.ID, c.Kind}
		if key := strings.Join(named, "\x00"); !used[key] {
			used[key] = true
			return named
		}
	}
	return values
}
