package e2e

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/test/workload"
)

// containerStates checks the times and exit codes that the kubelet reads, from the creation to the exit of a container.
func containerStates(t *testing.T, n *node) {
	p := n.pod(t)
	pod := n.run(t, p)
	c := container("say", "7", "bye")
	c.Labels = map[string]string{"app": "bye"}
	id := n.create(t, pod, c, p)
	s := n.inspect(t, id).Status
	if s.State != "CONTAINER_CREATED" || s.ID != id || s.CreatedAt.IsZero() {
		t.Errorf("after the creation: %+v", s)
	}
	if diff := cmp.Diff(c.Metadata, s.Metadata); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(c.Labels, s.Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	n.crictl(t, "start", id)
	s = n.exited(t, id).Status
	if s.ExitCode != 7 || s.Reason != "Error" || s.FinishedAt.Before(s.StartedAt) || s.StartedAt.Before(s.CreatedAt) {
		t.Errorf("after the exit: %+v", s)
	}
	n.refused(t, "CONTAINER_EXITED", "start", id)

	good := n.start(t, pod, container("exit", "0"), p)
	if s := n.exited(t, good).Status; s.ExitCode != 0 || s.Reason != "Completed" {
		t.Errorf("after an exit with 0: %+v", s)
	}
	bad := container("sleep", "600")
	bad.Command = []string{`C:\no\such.exe`}
	missing := n.create(t, pod, bad, p)
	n.refused(t, `such.exe`, "start", missing)
	if s := n.exited(t, missing).Status; s.ExitCode == 0 {
		t.Errorf("after a failed start: %+v", s)
	}
	n.drop(t, pod)
}

// containerLists checks the filters of "crictl ps".
func containerLists(t *testing.T, n *node) {
	p, q := n.pod(t), n.pod(t)
	pod, other := n.run(t, p), n.run(t, q)
	labelled := container("sleep", "600")
	labelled.Labels = map[string]string{"app": "one"}
	running := n.start(t, pod, labelled, p)
	created := n.create(t, other, container("sleep", "600"), q)
	for _, c := range []struct {
		flags []string
		want  string
	}{
		{nil, running},
		{[]string{"--state", "created"}, created},
		{[]string{"--pod", pod}, running},
		{[]string{"--pod", other}, ""},
		{[]string{"-a", "--pod", other}, created},
		{[]string{"-a", "--label", "app=one"}, running},
		{[]string{"-a", "--id", created}, created},
		{[]string{"-a", "--name", labelled.Metadata.Name}, running},
	} {
		args := append([]string{"ps", "-q", "--no-trunc"}, c.flags...)
		if got := strings.TrimSpace(n.try(t, args...).stdout); got != c.want {
			t.Errorf("%v lists %q, want %q", args, got, c.want)
		}
	}
	n.drop(t, pod)
	n.drop(t, other)
}

// containerStop: a stop ends the process tree, a second stop changes nothing, and a running container is not removed.
func containerStop(t *testing.T, n *node) {
	p := n.pod(t)
	pod := n.run(t, p)
	id := n.start(t, pod, container("tree", "2", "600"), p)
	n.refused(t, "CONTAINER_RUNNING", "start", id)
	n.refused(t, "is running", "rm", id)
	n.crictl(t, "stop", "--timeout", "1", id)
	n.crictl(t, "stop", id)
	if s := n.inspect(t, id).Status; s.State != "CONTAINER_EXITED" {
		t.Errorf("after the stop: %+v", s)
	}
	n.refused(t, "exited", "exec", "-s", id, workload.Payload, "exit", "0")
	n.crictl(t, "rm", id)
	now := n.start(t, pod, container("tree", "1", "600"), p)
	n.crictl(t, "stop", "--timeout", "0", now)
	if s := n.inspect(t, now).Status; s.ExitCode != 137 {
		t.Errorf("after a stop without a grace period: %+v, want the exit code of a kill", s)
	}
	forced := n.start(t, pod, container("tree", "1", "600"), p)
	n.crictl(t, "rm", "--force", forced)
	n.refused(t, "not found", "inspect", forced)
	n.drop(t, pod)
}

// containerEnvironment: variables, working directory and arguments arrive unchanged.
func containerEnvironment(t *testing.T, n *node) {
	p := n.pod(t)
	pod := n.run(t, p)
	words := []string{"two words", `say "hi"`, "%PATH%", "", `tail\\"quote`, "Grüße 世界"}
	var got []string
	n.output(t, pod, container(append([]string{"args"}, words...)...), p, &got)
	if diff := cmp.Diff(words, got); diff != "" {
		t.Errorf("arguments (-want +got):\n%s", diff)
	}
	c := container("env")
	c.Envs = []pair{{"GREETING", "hello=world"}, {"EMPTY", ""}, {"UMLAUT", "äöü"}}
	var env map[string]string
	n.output(t, pod, c, p, &env)
	for _, v := range append(c.Envs, pair{"FROM_IMAGE", "yes"}) {
		if got, is := env[v.Key]; got != v.Value || (!is && v.Value != "") {
			t.Errorf("%s is %q, want %q", v.Key, got, v.Value)
		}
	}
	c = container("cwd")
	c.WorkingDir = `C:\silo\bin`
	id := n.start(t, pod, c, p)
	n.exited(t, id)
	if got := strings.TrimSpace(n.try(t, "logs", id).stdout); !strings.EqualFold(got, c.WorkingDir) {
		t.Errorf("the working directory is %q, want %q", got, c.WorkingDir)
	}
	n.drop(t, pod)
}

// output runs a container and decodes the JSON that it printed.
func (n *node) output(t *testing.T, pod string, c *containerConfig, p *podConfig, into any) {
	t.Helper()
	id := n.start(t, pod, c, p)
	n.exited(t, id)
	r := n.try(t, "logs", id)
	if err := json.Unmarshal([]byte(r.stdout), into); err != nil {
		t.Errorf("%v in %q, %s", err, r.stdout, r.stderr)
	}
}
