package suite

import (
	"testing"

	"github.com/siloshim/siloshim/test/cluster/kube"
)

// drain: kubectl drain evicts the pods of a Deployment, and no pod of a DaemonSet. Their successors wait until the node takes pods
// again. Nothing else restarts.
func (c *suite) drain(t *testing.T) {
	namespaces := map[string]string{}
	const replicas = 2
	for _, h := range handlers {
		namespaces[h] = c.namespace(t)
		c.create(t, namespaces[h], "deployments", manifest("apps/v1", "Deployment", controlled(podSpec(h, payload("main", "sleep", "86400")), object{"replicas": replicas})))
	}
	before := map[string]bool{}
	for _, namespace := range namespaces {
		for _, id := range containers(c.pods(t, namespace, replicas, "ready", ready)) {
			before[id] = true
		}
	}
	daemons := containers(c.pods(t, "silo-system", 2, "ready", ready))
	out := c.kubectl(t, "drain", kube.NodeName, "--ignore-daemonsets", "--delete-emptydir-data", "--force", "--timeout", limit.String())
	t.Logf("kubectl drain\n%s", out)
	for h, namespace := range namespaces {
		pods := c.pods(t, namespace, replicas, "pending, as no node takes them", func(p *kube.Pod) bool {
			for _, condition := range p.Status.Conditions {
				if condition.Type == "PodScheduled" && condition.Reason == "Unschedulable" {
					return p.Status.Phase == "Pending"
				}
			}
			return false
		})
		t.Logf("%s: %d pods are %s: %s", h, len(pods), pods[0].Status.Phase, pods[0].Status.Conditions[0].Message)
	}
	c.kubectl(t, "uncordon", kube.NodeName)
	for h, namespace := range namespaces {
		after := containers(c.pods(t, namespace, replicas, "ready", ready))
		for _, id := range after {
			if before[id] {
				t.Errorf("%s: container %s was not evicted", h, id)
			}
		}
		t.Logf("%s: %d new containers after uncordon", h, len(after))
	}
	if now := containers(c.pods(t, "silo-system", 2, "ready", ready)); len(now) != len(daemons) || now[0] != daemons[0] || now[1] != daemons[1] {
		t.Errorf("the containers of the DaemonSets are %q, before %q", now, daemons)
	}
}
