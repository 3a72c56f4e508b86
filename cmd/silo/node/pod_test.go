package node_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/container/containertest"
	"github.com/siloshim/siloshim/container/podinfo"
)

// TestNode_Pods_OfShimsContainers: a pod is that of the container with the key. A container of silo run has none, also if
// another program publishes one.
func TestNode_Pods_OfShimsContainers(t *testing.T) {
	pods := new(containertest.Machine)
	for _, key := range []string{"k8s.io/web", "4711", "silo/mine", "k8s.io/4711", "web"} {
		if _, err := pods.Publish(key, podinfo.Pod{Name: key}); err != nil {
			t.Fatal(err)
		}
	}
	n := machine(t, `\BaseNamedObjects\silo/k8s.io/web`, `\BaseNamedObjects\silo/moby/web`, `\Container_4711`, `\Container_4712`,
		`\BaseNamedObjects\silo/silo/mine`, `\BaseNamedObjects\silo/silo/jobless`)
	n.Pods = pods
	if err := n.Records.Write(&node.Record{ID: "mine", Kind: node.Run}); err != nil {
		t.Fatal(err)
	}
	list, err := n.Containers()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, c := range list {
		got[c.Name()] = ""
		if c.Pod != nil {
			got[c.Name()] = c.Pod.Name
		}
	}
	want := map[string]string{"k8s.io/web": "k8s.io/web", "moby/web": "", "hcs/4711": "4711", "hcs/4712": "", "silo/mine": "", "silo/jobless": ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pods (-want +got):\n%s", diff)
	}
}
