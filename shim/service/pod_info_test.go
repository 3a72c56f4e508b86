package service_test

import (
	"maps"
	"testing"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/container/podinfo"
	"github.com/siloshim/siloshim/test/sim"
)

// named adds the annotations with which containerd names a pod and its container.
func named(container string) func(*specs.Spec) {
	return func(s *specs.Spec) {
		maps.Copy(s.Annotations, map[string]string{
			"io.kubernetes.cri.sandbox-name": "web", "io.kubernetes.cri.sandbox-namespace": "shop", "io.kubernetes.cri.sandbox-uid": "u",
		})
		if container != "" {
			s.Annotations["io.kubernetes.cri.container-name"] = container
		}
	}
}

// published fails the test unless the pod with this key is want; the zero value is none.
func published(t *testing.T, w *sim.World, key string, want podinfo.Pod) {
	t.Helper()
	if got, err := w.Pods.Read(key); got != want || (err == nil) != (want.Name != "") {
		t.Errorf("the pod of %s is %+v, %v; want %+v", key, got, err, want)
	}
}

// TestPod_TaskAPI_WorkloadIsPublished: with the handler silo. The sandbox has no job, and so nothing to find.
func TestPod_TaskAPI_WorkloadIsPublished(t *testing.T) {
	w := newWorld(t)
	w.MustCreateFrom(t, "p", inPod(t, "sandbox", named("")))
	w.MustStart(t, "p", "")
	w.MustCreateFrom(t, "c", inPod(t, "container", named("app"), "sleep"))
	published(t, w.World, "ns/p", podinfo.Pod{})
	published(t, w.World, "ns/c", podinfo.Pod{Name: "web", Namespace: "shop", UID: "u", Container: "app", Type: "container", Sandbox: "p"})
	w.MustStart(t, "c", "")
	w.MustCreateFrom(t, "other", inPod(t, "container", nil, "sleep")) // without names
	published(t, w.World, "ns/other", podinfo.Pod{})
	if _, err := w.Kill(t.Context(), &api.KillRequest{ID: "p", Signal: 9, All: true}); err != nil {
		t.Fatal(err)
	}
	w.MustWait(t, "c", "")
	w.MustDelete(t, "c", "")
	published(t, w.World, "ns/c", podinfo.Pod{})
	w.MustDelete(t, "other", "")
}

// TestPod_SandboxAPI_WorkloadIsPublished: with the handler silo-sandbox.
func TestPod_SandboxAPI_WorkloadIsPublished(t *testing.T) {
	w := newRunningPod(t)
	w.MustCreateFrom(t, "c", inPod(t, "container", named("app"), "sleep"))
	published(t, w.World, "ns/c", podinfo.Pod{Name: "web", Namespace: "shop", UID: "u", Container: "app", Type: "container", Sandbox: "p"})
	w.MustDelete(t, "c", "")
}

func TestPod_WCOW_SandboxAndWorkloadArePublished(t *testing.T) {
	w := sim.NewWCOWWorld(t)
	w.MustCreateFrom(t, "p", inWCOWPod(t, "sandbox", "p", named(""), "sleep"))
	w.MustStart(t, "p", "")
	w.MustCreateFrom(t, "c", inWCOWPod(t, "container", "c", named("app"), "sleep"))
	published(t, w.World, "p", podinfo.Pod{Name: "web", Namespace: "shop", UID: "u", Type: "sandbox", Sandbox: "p"})
	published(t, w.World, "c", podinfo.Pod{Name: "web", Namespace: "shop", UID: "u", Container: "app", Type: "container", Sandbox: "p"})
	if _, err := w.Kill(t.Context(), &api.KillRequest{ID: "p", Signal: 9, All: true}); err != nil {
		t.Fatal(err)
	}
	w.MustWait(t, "p", "")
	w.MustDelete(t, "c", "")
	w.MustDelete(t, "p", "")
	published(t, w.World, "p", podinfo.Pod{})
}
