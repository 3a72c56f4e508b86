package e2e

import (
	"maps"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/test/workload"
)

// By default every containerd makes pods from the annotations of their containers for Kubernetes: one container is the
// sandbox, and the others name it. These two tests do the same through ctr.
func TestAnnotatedPod_JobContainers_RemovedInAnyOrder(t *testing.T) {
	d := newDaemon(t)
	d.annotatedPod(t, func() *specs.Spec { return workload.Spec("sleep", "600") })
}

func TestAnnotatedPod_WCOWContainers_RemovedInAnyOrder(t *testing.T) {
	s := newService(t)
	s.annotatedPod(t, func() *specs.Spec { return s.spec(t, "sleep", "600") })
}

// annotatedPod removes the containers of such pods in every order. containerd restarts in the middle of the first.
func (d *daemon) annotatedPod(t *testing.T, spec func() *specs.Spec) {
	t.Helper()
	for i, order := range [][]int{{0, 1, 2}, {1, 0, 2}, {2, 1, 0}} {
		ids := []string{newID(), newID(), newID()}
		for i, id := range ids {
			s := spec()
			kind := map[string]string{"io.kubernetes.cri.sandbox-id": ids[0], "io.kubernetes.cri.container-type": "container"}
			if i == 0 {
				kind["io.kubernetes.cri.container-type"] = "sandbox"
			}
			maps.Copy(s.Annotations, kind)
			d.ctr(t, d.runArgs(t, s, id, "-d", "--null-io")...)
		}
		if n := len(d.shims(t)); n != 1 {
			t.Errorf("the pod has %d shims, want one", n)
		}
		if i == 0 {
			if err := d.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for left, next := range order {
			d.removeOne(t, ids[next])
			list := d.list(t)
			for _, other := range order[left+1:] {
				if !running(list, ids[other]) {
					t.Errorf("after the removal of container %d of the pod, %d does not run:\n%s", next, other, list)
				}
			}
		}
		until(t, "the shim has exited", func() bool { return len(d.shims(t)) == 0 })
	}
}

// removeOne kills and deletes one container. remove kills all processes of a container; for a sandbox these are the pod's.
func (d *daemon) removeOne(t *testing.T, id string) {
	t.Helper()
	d.ctr(t, "task", "kill", "--signal", "9", id)
	until(t, id+" has ended", func() bool { return d.try(t, "task", "delete", id).code == 0 })
	d.ctr(t, "container", "delete", id)
}
