package e2e

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/test/wine/testenv"
	"github.com/siloshim/siloshim/test/workload"
)

// podSession does what a person does with crictl: it starts a pod with two containers, uses it and removes it. In the
// middle containerd is killed and started again.
func podSession(t *testing.T, n *node) {
	p := n.pod(t)
	pod := n.run(t, p)
	speaker := container("tree", "1", "600")
	first := n.start(t, pod, speaker, p)
	second := n.start(t, pod, container("sleep", "600"), p)
	n.saysHello(t, first)
	if s := n.inspectPod(t, pod); n.handler == testenv.SandboxHandler && (s.Kind != "host process" || !strings.Contains(s.Workloads, first) || !strings.Contains(s.Workloads, second)) {
		t.Errorf("the sandbox reports %q, %s", s.Kind, s.Workloads)
	}

	if err := n.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := n.inspectPod(t, pod); s.Status.State != "SANDBOX_READY" {
		t.Errorf("after the restart the pod is %s", s.Status.State)
	}
	for _, id := range []string{first, second} {
		if s := n.inspect(t, id); s.Status.State != "CONTAINER_RUNNING" {
			t.Errorf("after the restart container %s is %s", id, s.Status.State)
		}
	}
	n.saysHello(t, first)
	n.saysHello(t, second)
	if log := n.try(t, "logs", first).stdout; !strings.HasPrefix(log, "1 ") || strings.Count(log, "\n") != 2 {
		t.Errorf("the log is %q, want two lines of a tree", log)
	}
	if got := n.stats(t, first); got.Memory.WorkingSetBytes.Value == 0 {
		t.Errorf("stats %+v, want memory", got)
	}
	if got, ok := n.podStats(t, pod); ok && len(got.Windows.Containers) != 2 {
		t.Errorf("statsp reports %d containers, want 2", len(got.Windows.Containers))
	}

	for _, id := range []string{first, second} {
		n.crictl(t, "stop", id)
		if s := n.inspect(t, id).Status; s.State != "CONTAINER_EXITED" {
			t.Errorf("after the stop the container is %s", s.State)
		}
		n.crictl(t, "rm", id)
		n.refused(t, "not found", "inspect", id)
	}
	n.crictl(t, "stopp", pod)
	if s := n.inspectPod(t, pod); s.Status.State != "SANDBOX_NOTREADY" {
		t.Errorf("after the stop the pod is %s", s.Status.State)
	}
	n.crictl(t, "rmp", pod)
	n.refused(t, "not found", "inspectp", pod)
}

// saysHello runs an exec in a container and checks its output.
func (n *node) saysHello(t *testing.T, id string) {
	t.Helper()
	if r := n.try(t, "exec", "-s", id, workload.Payload, "print", "hello"); r.code != 0 || strings.TrimSpace(r.stdout) != "hello" {
		t.Errorf("exec: %+v, want hello", r)
	}
}

// podListsAndFilters: the lists and their filters report what was configured.
func podListsAndFilters(t *testing.T, n *node) {
	front, back := n.pod(t), n.pod(t)
	front.Labels["tier"], back.Labels["tier"] = "front", "back"
	back.Metadata.Namespace = "other"
	f, b := n.run(t, front), n.run(t, back)

	s := n.inspectPod(t, f).Status
	if s.ID != f || s.State != "SANDBOX_READY" || s.RuntimeHandler != n.handler || s.CreatedAt.IsZero() {
		t.Errorf("status %+v", s)
	}
	if diff := cmp.Diff(front.Metadata, s.Metadata); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(front.Labels, s.Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	n.crictl(t, "stopp", b)
	for _, c := range []struct {
		flags []string
		want  []string
	}{
		{[]string{"--id", f}, []string{f}},
		{[]string{"--name", front.Metadata.Name}, []string{f}},
		{[]string{"--namespace", "^other$"}, []string{b}},
		{[]string{"--label", "tier=front"}, []string{f}},
		{[]string{"--label", "tier=none"}, nil},
		{[]string{"--state", "ready"}, []string{f}},
		{[]string{"--state", "notready"}, []string{b}},
	} {
		args := append([]string{"pods", "-q"}, c.flags...)
		if got := strings.Fields(n.try(t, args...).stdout); !cmp.Equal(c.want, got, cmp.Comparer(sameIDs)) {
			t.Errorf("%v lists %v, want %v", args, got, c.want)
		}
	}
	n.crictl(t, "rmp", b)
	n.drop(t, f)
	if left := n.try(t, "pods", "-q").stdout; left != "" {
		t.Errorf("pods remain: %s", left)
	}
}

// sameIDs compares lists; an empty list equals nil.
func sameIDs(a, b []string) bool { return strings.Join(a, " ") == strings.Join(b, " ") }

// podEndsItsContainers: stopping a pod stops its containers, a second stop changes nothing, and removing it removes them.
func podEndsItsContainers(t *testing.T, n *node) {
	p := n.pod(t)
	pod := n.run(t, p)
	running := n.start(t, pod, container("tree", "2", "600"), p)
	created := n.create(t, pod, container("sleep", "600"), p)
	for range 2 {
		n.crictl(t, "stopp", pod)
		if s := n.exited(t, running).Status; s.ExitCode == 0 {
			t.Errorf("the container exited with %d, want the exit code of a kill", s.ExitCode)
		}
	}
	n.refused(t, "", "start", created)
	late := n.try(t, "create", pod, n.document(t, container("sleep", "600")), n.document(t, p))
	switch {
	case late.code == 0 && before22(): // these versions accept it
		n.refused(t, "", "start", strings.TrimSpace(late.stdout))
	case late.code == 0:
		t.Error("a container was created in a stopped pod")
	}
	n.crictl(t, "rmp", pod)
	if left := n.try(t, "ps", "-a", "-q").stdout; left != "" {
		t.Errorf("containers remain: %s", left)
	}
}

// podRefused: the error of a pod that cannot run names the cause, and nothing of the pod remains.
func podRefused(t *testing.T, n *node) {
	p := n.pod(t)
	n.refused(t, "no runtime for", "runp", "--runtime", "nosuch", n.document(t, p))
	if left := n.try(t, "pods", "-q").stdout; left != "" {
		t.Errorf("pods remain: %s", left)
	}
	pod := n.run(t, p)
	n.refused(t, "reserve", "runp", "--runtime", n.handler, n.document(t, p))
	mixed := container("sleep", "600")
	mixed.Windows = security{}
	n.refused(t, "hostprocess", "create", pod, n.document(t, mixed), n.document(t, p))
	n.drop(t, pod)
}

// podShimKilled: a pod whose shim was killed is not ready, its containers have exited, and it can be removed.
func podShimKilled(t *testing.T, n *node) {
	p := n.pod(t)
	pod := n.run(t, p)
	id := n.start(t, pod, container("tree", "1", "600"), p)
	rest, err := n.Processes()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range rest {
		if strings.HasPrefix(p.Name(), "containerd-shim") {
			if err := p.Kill(); err != nil {
				t.Error(err)
			}
		}
	}
	n.exited(t, id)
	until(t, "the pod is not ready", func() bool { return n.inspectPod(t, pod).Status.State == "SANDBOX_NOTREADY" })
	n.drop(t, pod)
	n.nothingLeft(t)
}
