package suite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	eventtypes "github.com/containerd/containerd/api/events"
	"github.com/containerd/typeurl/v2"
	"google.golang.org/protobuf/proto"

	"github.com/siloshim/siloshim/test/cluster/kube"
	"github.com/siloshim/siloshim/test/wine/testenv"
)

// keep is a finalizer: the apiserver keeps the last status of a pod that is deleted.
const keep = "siloshim.test/keep"

// stop: a program that takes the stop ends with its own exit code. One that ignores it is killed, and not before the end of the
// grace period.
func (c *suite) stop(t *testing.T, handler string) {
	namespace, dir := c.namespace(t), t.TempDir()
	files := map[string]string{"obeys": filepath.Join(dir, "obeys"), "ignores": filepath.Join(dir, "ignores")}
	specs := map[string]object{
		"obeys":   podSpec(handler, payload("main", "obey", c.Wine.WindowsPath(files["obeys"]), "17")),
		"ignores": podSpec(handler, payload("main", "deaf", c.Wine.WindowsPath(files["ignores"]))),
	}
	grace := map[string]time.Duration{"obeys": limit, "ignores": 5 * time.Second}
	for name, spec := range specs {
		p := pod(name, with(spec, object{"terminationGracePeriodSeconds": int(grace[name].Seconds())}))
		p["metadata"] = object{"name": name, "finalizers": []string{keep}}
		c.create(t, namespace, "pods", p)
		t.Cleanup(func() {
			if err := c.Patch(context.Background(), "api/v1/namespaces/"+namespace+"/pods/"+name, object{"metadata": object{"finalizers": nil}}); err != nil {
				t.Error(err)
			}
		})
	}
	begin := map[string]time.Time{}
	for name, file := range files {
		until(t, name+" waits for the stop", func() (bool, error) { _, err := os.Stat(file); return err == nil, err })
		begin[name] = time.Now().Truncate(time.Second) // as a status has it
		if err := c.Delete(t.Context(), "api/v1/namespaces/"+namespace+"/pods/"+name); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range c.pods(t, namespace, len(specs), "ended", func(p *kube.Pod) bool {
		return len(p.Status.ContainerStatuses) == 1 && p.Status.ContainerStatuses[0].State.Terminated != nil
	}) {
		name, ended := p.Metadata.Name, p.Status.ContainerStatuses[0].State.Terminated
		took := ended.FinishedAt.Sub(begin[name])
		t.Logf("%s: exit code %d, reason %s, after %v of %v", name, ended.ExitCode, ended.Reason, took, grace[name])
		switch {
		case name == "obeys" && ended.ExitCode != 17:
			t.Errorf("%s: exit code %d, want 17", name, ended.ExitCode)
		case name == "ignores" && (ended.ExitCode != 137 || took < grace[name]):
			t.Errorf("%s: exit code %d after %v; want 137 after %v", name, ended.ExitCode, took, grace[name])
		}
	}
}

// followed: kubectl logs -f shows each line of a run and ends with it. The next one follows the run after the restart.
func (c *suite) followed(t *testing.T, handler string) {
	namespace := c.namespace(t)
	never := namespace + "-never" // no such file is made
	c.create(t, namespace, "pods", pod("test", podSpec(handler, payload("main", "count", never))))
	for restarts := range 2 {
		c.pods(t, namespace, 1, fmt.Sprintf("running, restarted %d times", restarts), func(p *kube.Pod) bool {
			s := p.Status.ContainerStatuses
			return len(s) == 1 && s[0].State.Running != nil && s[0].RestartCount == restarts
		})
		lines, err := c.follow(t, namespace, never)
		if err != nil {
			t.Fatalf("logs -f after %d restarts: %v", restarts, err)
		}
		logs, err := c.countedLogs(namespace)
		if err != nil {
			t.Fatal(err)
		}
		for file, log := range logs {
			if filepath.Base(file) == fmt.Sprintf("%d.log", restarts) && log.lines != lines {
				t.Errorf("logs -f after %d restarts: %d lines of %d", restarts, lines, log.lines)
			}
		}
		t.Logf("logs -f after %d restarts: all %d lines, and the end", restarts, lines)
	}
}

// follow follows the log of a program that counts, kills the program, which has an argument with that part, and returns the number
// of its lines.
func (c *suite) follow(t *testing.T, namespace, argument string) (int, error) {
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	out, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		return 0, err
	}
	defer out.Close() // it is read by its name
	cmd := c.Kubectl(ctx, "-n", namespace, "logs", "-f", "test")
	cmd.Stdout = out
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	read := func() string {
		text, _ := os.ReadFile(out.Name()) // empty if it cannot be read
		return string(text)
	}
	begun := await(t, "logs -f shows lines", func() (bool, error) { return strings.Count(read(), "\n") > 10, nil })
	if err := errors.Join(begun, c.killPayload(argument), cmd.Wait()); err != nil {
		return 0, err
	}
	lines := strings.Fields(read())
	for i, line := range lines {
		if line != fmt.Sprint(i) {
			return 0, fmt.Errorf("line %d of %d is %q", i, len(lines), lines[i:min(len(lines), i+20)])
		}
	}
	return len(lines), nil
}

// killPayload ends the payload on the node that has an argument with this part.
func (c *suite) killPayload(argument string) error {
	all, err := c.named("payload")
	if err != nil {
		return err
	}
	for _, p := range all {
		if strings.Contains(strings.Join(p.Args, " "), argument) {
			return p.Kill()
		}
	}
	return fmt.Errorf("no payload with the argument %s runs", argument)
}

// debug: kubectl debug runs an ephemeral container in a pod, beside the container that runs.
func (c *suite) debug(t *testing.T, handler string) {
	namespace := c.namespace(t)
	c.create(t, namespace, "pods", pod("test", podSpec(handler, payload("main", "sleep", "86400"))))
	before := containers(c.pods(t, namespace, 1, "ready", ready))
	r := c.try(t, "", "-n", namespace, "debug", "test", "--image", kube.PayloadImage, "--container", "debugger", "--arguments-only", "--", "say", "7", "an ephemeral container")
	if r.code != 0 {
		t.Fatalf("kubectl debug: exit %d: %s", r.code, r.stderr)
	}
	p := c.pods(t, namespace, 1, "with an ephemeral container that has ended", func(p *kube.Pod) bool {
		s := p.Status.EphemeralContainerStatuses
		return len(s) == 1 && s[0].State.Terminated != nil
	})
	ended := p[0].Status.EphemeralContainerStatuses[0].State.Terminated
	log := strings.TrimSpace(c.kubectl(t, "-n", namespace, "logs", "test", "-c", "debugger"))
	t.Logf("the ephemeral container: exit code %d, log %q", ended.ExitCode, log)
	if ended.ExitCode != 7 || log != "an ephemeral container" {
		t.Errorf("the ephemeral container: %+v, log %q; want exit code 7", ended, log)
	}
	if after := containers(p); len(after) != 1 || after[0] != before[0] {
		t.Errorf("the container is %q, before %q", after, before)
	}
}

// memory: a TaskOOM event, as the shim publishes it, is kubelet's reason for the end of a container. Wine has no message of the
// kernel that a limit was reached, so the test publishes the event.
func (c *suite) memory(t *testing.T, handler string) {
	namespace, end := c.namespace(t), filepath.Join(t.TempDir(), "end")
	spec := with(podSpec(handler, payload("main", "await", c.Wine.WindowsPath(end), "3")), object{"restartPolicy": "Never"})
	c.create(t, namespace, "pods", pod("test", spec))
	id := containerID(t, &c.pods(t, namespace, 1, "ready", ready)[0], "main")
	event, err := typeurl.MarshalAnyToProto(&eventtypes.TaskOOM{ContainerID: id})
	if err != nil {
		t.Fatal(err)
	}
	text, err := proto.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	publish := c.Wine.Command(t.Context(), testenv.InstallDir+`\containerd.exe`, "--address", c.Node.Address(), "publish", "--namespace", "k8s.io", "--topic", "/tasks/oom")
	publish.Stdin = bytes.NewReader(text)
	if out, err := publish.CombinedOutput(); err != nil {
		t.Fatalf("publish the event: %v\n%s", err, out)
	}
	if err := os.WriteFile(end, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	p := c.pods(t, namespace, 1, "failed", func(p *kube.Pod) bool { return p.Status.Phase == "Failed" })[0]
	ended := p.Status.ContainerStatuses[0].State.Terminated
	if ended == nil || ended.Reason != "OOMKilled" || ended.ExitCode != 3 {
		t.Fatalf("the container is %+v, want OOMKilled with exit code 3", p.Status.ContainerStatuses)
	}
	t.Logf("kubelet: exit code %d, reason %s", ended.ExitCode, ended.Reason)
}
