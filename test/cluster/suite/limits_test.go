package suite

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/test/cluster/kube"
)

// resources is what a manifest says, and what the job of the container then has: the limit of processors in thousandths, and of
// memory in MiB. kubelet tells a Windows runtime no requests.
var resources = []struct {
	name      string
	resources object
	cpus, mib int
}{
	{"none", object{}, 0, 0},
	{"requests", object{"requests": object{"cpu": "20m", "memory": "16Mi"}}, 0, 0},
	{"memory", object{"limits": object{"memory": "64Mi"}, "requests": object{"memory": "16Mi"}}, 0, 64},
	{"cpu", object{"limits": object{"cpu": "500m"}, "requests": object{"cpu": "20m"}}, 500, 0},
	{"both", object{"limits": object{"cpu": "300m", "memory": "96Mi"}, "requests": object{"cpu": "20m", "memory": "16Mi"}}, 300, 96},
}

// limits: the limits of each container are those of its job, which another process reads.
func (c *suite) limits(t *testing.T, handler string) {
	namespace := c.namespace(t)
	var containers []object
	for _, r := range resources {
		containers = append(containers, with(payload(r.name, "sleep", "86400"), object{"resources": r.resources}))
	}
	c.create(t, namespace, "pods", pod("test", podSpec(handler, containers...)))
	p := c.pods(t, namespace, 1, "ready", ready)[0]
	for _, r := range resources {
		requested, _ := json.Marshal(r.resources) // for the reader
		c.jobHas(t, r.name+" "+string(requested), containerID(t, &p, r.name), r.cpus, r.mib)
	}
}

// containerID is the id that a container of a pod has in containerd.
func containerID(t *testing.T, p *kube.Pod, name string) string {
	t.Helper()
	for _, s := range p.Status.ContainerStatuses {
		if s.Name == name {
			return strings.TrimPrefix(s.ContainerID, "containerd://")
		}
	}
	t.Fatalf("pod %s has no container %s", p.Metadata.Name, name)
	return ""
}

// jobHas reads the limits of a container's job by silo inspect. They must be these, or none for zero. It returns the number of
// processors.
func (c *suite) jobHas(t *testing.T, what, id string, cpus, mib int) (processors int) {
	t.Helper()
	r := run(t, c.Node.Silo(t.Context(), "inspect", "k8s.io/"+id), "")
	var list []struct {
		Limits  []struct{ Limit, Value string }
		Machine struct{ Groups []int }
	}
	if err := json.Unmarshal([]byte(r.stdout), &list); err != nil || r.code != 0 || len(list) != 1 {
		t.Fatalf("%s: silo inspect: exit %d, %v: %s%s", what, r.code, err, r.stdout, r.stderr)
	}
	for _, n := range list[0].Machine.Groups {
		processors += n
	}
	want := map[string]string{"memory": "", "cpus": "", "cpu-weight": "", "cpu-range": ""}
	if mib > 0 {
		want["memory"] = fmt.Sprintf("%d MiB", mib)
	}
	if cpus > 0 { // as kubelet converts it, in ten-thousandths of the machine
		rate := uint32(10 * cpus / processors)
		want["cpus"] = fmt.Sprintf("%.4g (%.4g %% of %d processors)", jobobject.CPUsOfRate(rate, processors), jobobject.PercentOfRate(rate), processors)
	}
	got := map[string]string{}
	for _, l := range list[0].Limits {
		got[l.Limit] = l.Value
	}
	for limit, value := range want {
		if got[limit] != value {
			t.Errorf("%s: the job has %s %q, want %q", what, limit, got[limit], value)
		}
	}
	t.Logf("%s: the job has memory %q, cpus %q", what, got["memory"], got["cpus"])
	return processors
}

// resize: the apiserver refuses a resize of a pod on a Windows node, so kubelet has none to do. What CRI's call for it says is in the
// job of the running container.
func (c *suite) resize(t *testing.T, handler string) {
	namespace := c.namespace(t)
	main := payload("main", "sleep", "86400")
	c.create(t, namespace, "pods", pod("unnamed", podSpec(handler, main)))
	c.create(t, namespace, "pods", pod("windows", with(podSpec(handler, main), object{"os": object{"name": "windows"}})))
	p := c.pods(t, namespace, 2, "ready", ready)[0]
	before, id := containers([]kube.Pod{p}), containerID(t, &p, "main")
	processors := c.jobHas(t, "before", id, 500, 128)
	larger := `{"spec":{"containers":[{"name":"main","resources":{"limits":{"cpu":"600m","memory":"160Mi"}}}]}}`
	for name, want := range map[string]string{"windows": "windows pods cannot be resized", "unnamed": "pod resize is only supported on linux node"} {
		r := c.try(t, "", "-n", namespace, "patch", "pod", name, "--subresource", "resize", "--patch", larger)
		t.Logf("kubectl patch --subresource resize: exit %d: %s", r.code, strings.TrimSpace(r.stderr))
		if r.code == 0 || !strings.Contains(r.stderr, want) {
			t.Errorf("resize of pod %s: exit %d: %s%s; want %q", name, r.code, r.stdout, r.stderr, want)
		}
	}
	c.jobHas(t, "after the apiserver has refused", id, 500, 128)
	if r := run(t, c.Node.Crictl(t.Context(), "update", "--cpu-maximum", fmt.Sprint(10*600/processors), "--memory", fmt.Sprint(160<<20), id), ""); r.code != 0 {
		t.Fatalf("crictl update: exit %d: %s", r.code, r.stderr)
	}
	c.jobHas(t, "after UpdateContainerResources", id, 600, 160)
	if after := containers(c.pods(t, namespace, 2, "ready", ready)[:1]); !slices.Equal(after, before) {
		t.Errorf("the container is %q, before %q", after, before)
	}
}
