package suite

import (
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/test/cluster/kube"
	"github.com/siloshim/siloshim/test/wine/testenv"
	"github.com/siloshim/siloshim/test/workload"
)

// bootstrap: kubelet got its certificate with the bootstrap token, by a request that the controller manager approved.
func (c *suite) bootstrap(t *testing.T) {
	var list struct {
		Items []struct {
			Spec   struct{ Username, SignerName string }
			Status struct {
				Certificate string
				Conditions  []kube.Condition
			}
		}
	}
	if err := c.Get(t.Context(), "apis/certificates.k8s.io/v1/certificatesigningrequests", &list); err != nil {
		t.Fatal(err)
	}
	for _, r := range list.Items {
		if strings.HasPrefix(r.Spec.Username, "system:bootstrap:") && r.Status.Certificate != "" && r.Status.Conditions[0].Type == "Approved" {
			return
		}
	}
	t.Errorf("requests: %+v", list.Items)
}

// deploy: the objects of deploy/kubernetes work.
func (c *suite) deploy(t *testing.T) {
	for _, daemon := range []string{"silo-install", "silo-metrics"} {
		c.kubectl(t, "-n", "silo-system", "rollout", "status", "daemonset/"+daemon, "--timeout", limit.String())
	}
	pods, err := c.Pods(t.Context(), "silo-system", "app.kubernetes.io/name%3Dsilo-install")
	if err != nil || len(pods) != 1 {
		t.Fatalf("%d pods, %v", len(pods), err)
	}
	if s := pods[0].Status.ContainerStatuses[0]; s.RestartCount != 0 || s.State.Running == nil {
		t.Errorf("the installer is %+v", s)
	}
	for _, sample := range []string{"hostprocess.yaml", "volumes.yaml"} {
		text, err := os.ReadFile(filepath.Join(c.Wine.Root(), "deploy", "kubernetes", "samples", sample))
		if err != nil {
			t.Fatal(err)
		}
		if r := c.try(t, strings.ReplaceAll(string(text), "registry.example/silo:latest", kube.SiloImage), "-n", "silo-system", "apply", "-f", "-"); r.code != 0 {
			t.Fatalf("apply %s: %s", sample, r.stderr)
		}
	}
	c.kubectl(t, "-n", "silo-system", "wait", "--for=jsonpath={.status.phase}=Succeeded", "--timeout", limit.String(), "pod/silo-volumes")
	if out := c.kubectl(t, "-n", "silo-system", "logs", "silo-volumes"); !strings.Contains(out, "67108864") && !strings.Contains(out, "64 MiB") && !strings.Contains(out, "64.0 MiB") {
		t.Errorf("the log of silo-volumes has no limit of 64 MiB:\n%s", out)
	}
	c.kubectl(t, "-n", "silo-system", "wait", "--for=condition=Ready", "--timeout", limit.String(), "pod/silo-hostprocess")
	c.kubectl(t, "-n", "silo-system", "delete", "pod", "silo-hostprocess", "silo-volumes")
}

// freePort is a port that no program listens on.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// probes: an init container, then a sidecar that has started, then the main container; all kinds of probes; both hooks.
func (c *suite) probes(t *testing.T, handler string) {
	namespace, dir, port := c.namespace(t), t.TempDir(), freePort(t)
	file := func(name string) string { return c.Wine.WindowsPath(filepath.Join(dir, name)) }
	address := object{"host": "127.0.0.1", "port": number(t, port)}
	server := object{
		"name": "server", "image": kube.SiloImage, "args": []string{"metrics", "--listen", "127.0.0.1:" + port},
		"startupProbe":   with(object{"tcpSocket": address}, often),
		"readinessProbe": with(object{"httpGet": with(address, object{"path": "/metrics"})}, often),
		"livenessProbe":  with(object{"tcpSocket": address}, often),
		"lifecycle": object{
			"postStart": object{"exec": object{"command": []string{workload.Payload, "write", file("started"), "yes"}}},
			"preStop":   object{"exec": object{"command": []string{workload.Payload, "write", file("stopping"), "yes"}}},
		},
	}
	spec := with(podSpec(handler, server), object{"initContainers": []object{
		payload("init", "write", file("init"), "yes"),
		with(payload("sidecar", "sleep", "86400"), object{"restartPolicy": "Always", "startupProbe": execProbe("read", file("init"))}),
	}})
	c.create(t, namespace, "pods", pod("test", spec))
	pods := c.pods(t, namespace, 1, "ready", ready)
	if s := pods[0].Status.InitContainerStatuses; len(s) != 2 || s[0].State.Terminated == nil || s[1].State.Running == nil || !s[1].Ready {
		t.Errorf("init containers %+v", s)
	}
	if _, err := os.Stat(filepath.Join(dir, "started")); err != nil {
		t.Errorf("postStart: %v", err)
	}
	if err := c.stops(t, kinds[0], namespace); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "stopping")); err != nil {
		t.Errorf("preStop: %v", err)
	}
}

// often are the intervals of a probe.
var often = object{"periodSeconds": 2, "timeoutSeconds": 60, "failureThreshold": 30}

// volumes: each kind of volume has its file at its path below the mount point.
func (c *suite) volumes(t *testing.T, handler string) {
	namespace, dir := c.namespace(t), t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte("of the host\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	c.create(t, namespace, "configmaps", object{"apiVersion": "v1", "kind": "ConfigMap", "metadata": object{"name": "test"}, "data": object{"file": "of a map\n"}})
	c.create(t, namespace, "secrets", object{"apiVersion": "v1", "kind": "Secret", "metadata": object{"name": "test"}, "stringData": object{"file": "of a secret\n"}})
	downward := object{"items": []object{{"path": "file", "fieldRef": object{"fieldPath": "metadata.name"}}}}
	volumes := map[string]struct {
		volume object
		want   string
	}{
		"configmap": {object{"configMap": object{"name": "test"}}, "of a map\n"},
		"secret":    {object{"secret": object{"secretName": "test"}}, "of a secret\n"},
		"downward":  {object{"downwardAPI": downward}, "test"},
		"projected": {object{"projected": object{"sources": []object{
			{"downwardAPI": downward}, {"serviceAccountToken": object{"path": "token", "expirationSeconds": 3600}}}}}, "test"},
		"hostpath": {object{"hostPath": object{"path": c.Wine.WindowsPath(dir), "type": "Directory"}}, "of the host\n"},
		"emptydir": {object{"emptyDir": object{}}, "of the init container\n"},
	}
	const mount = `%CONTAINER_SANDBOX_MOUNT_POINT%\volume\`
	spec := with(podSpec(handler), object{"restartPolicy": "Never"})
	var containers, list []object
	for name, v := range volumes {
		mounted := object{"volumeMounts": []object{{"name": name, "mountPath": "/volume/" + name}}}
		list = append(list, with(v.volume, object{"name": name}))
		containers = append(containers, with(payload(name, "read", mount+name+`\file`), mounted))
		if name == "emptydir" {
			spec["initContainers"] = []object{with(payload("init", "write", mount+name+`\file`, "of the init container"), mounted)}
		}
		if name == "projected" {
			containers = append(containers, with(payload("token", "read", mount+name+`\token`), mounted))
		}
	}
	c.create(t, namespace, "pods", pod("test", with(spec, object{"containers": containers, "volumes": list})))
	c.pods(t, namespace, 1, "succeeded", succeeded)
	for name, v := range volumes {
		if got := c.kubectl(t, "-n", namespace, "logs", "test", "-c", name); got != v.want {
			t.Errorf("%s: %q, want %q", name, got, v.want)
		}
	}
	if got := c.kubectl(t, "-n", namespace, "logs", "test", "-c", "token"); strings.Count(got, ".") != 2 {
		t.Errorf("the token is %q", got)
	}
}

// copies: kubectl cp copies a file into a container and back.
func (c *suite) copies(t *testing.T, handler string) {
	namespace := c.namespace(t)
	c.create(t, namespace, "pods", pod("test", podSpec(handler, payload("main", "sleep", "86400"))))
	c.pods(t, namespace, 1, "ready", ready)
	const want = "there and back\n"
	dir, remote := t.TempDir(), "/silo/kubelet/"+namespace // kubectl takes the colon of a drive for that of a pod
	if err := os.WriteFile(filepath.Join(dir, "there"), []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"there", "test:" + remote}, {"test:" + remote, "back"}} {
		cmd := c.Kubectl(t.Context(), append([]string{"-n", namespace, "cp"}, args...)...)
		cmd.Dir = dir
		if r := run(t, cmd, ""); r.code != 0 {
			t.Fatalf("cp %q: exit %d: %s", args, r.code, r.stderr)
		}
	}
	if got, err := os.ReadFile(filepath.Join(dir, "back")); err != nil || string(got) != want {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
}

// crashLoop: a container that fails is restarted, with its exit code in the status, until kubelet backs off.
func (c *suite) crashLoop(t *testing.T, handler string) {
	namespace := c.namespace(t)
	c.create(t, namespace, "pods", pod("test", podSpec(handler, payload("main", "exit", "3"))))
	c.pods(t, namespace, 1, "in CrashLoopBackOff after exit code 3", func(p *kube.Pod) bool {
		for _, s := range p.Status.ContainerStatuses {
			last := s.LastState.Terminated
			if s.RestartCount > 0 && last != nil && last.ExitCode == 3 && s.State.Waiting != nil && s.State.Waiting.Reason == "CrashLoopBackOff" {
				return true
			}
		}
		return false
	})
}

// scheduling: a runtime class adds its overhead and its node selector to the pod.
func (c *suite) scheduling(t *testing.T, handler string) {
	namespace := c.namespace(t)
	for name, build := range map[string]string{"fits": strings.Join(strings.Split(testenv.OSVersion, ".")[:3], "."), "misfits": "10.0.99999"} {
		class := namespace + "-" + name
		if err := c.Create(t.Context(), "apis/node.k8s.io/v1/runtimeclasses", object{
			"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": object{"name": class}, "handler": handler,
			"overhead":   object{"podFixed": object{"memory": "24Mi"}},
			"scheduling": object{"nodeSelector": object{"node.kubernetes.io/windows-build": build}},
		}); err != nil {
			t.Fatal(err)
		}
		c.create(t, namespace, "pods", pod(name, podSpec(class, payload("main", "sleep", "86400"))))
	}
	overhead := c.kubectl(t, "-n", namespace, "get", "pod", "fits", "-o", "jsonpath={.spec.overhead.memory}")
	if overhead != "24Mi" {
		t.Errorf("the overhead is %q, want 24Mi", overhead)
	}
	c.kubectl(t, "-n", namespace, "wait", "--for=condition=Ready", "--timeout", limit.String(), "pod/fits")
	c.kubectl(t, "-n", namespace, "wait", "--for=jsonpath={.status.conditions[?(@.type==\"PodScheduled\")].reason}=Unschedulable", "--timeout", limit.String(), "pod/misfits")
	events := "api/v1/namespaces/" + namespace + "/events?fieldSelector=" + url.QueryEscape("reason=FailedScheduling")
	var list struct {
		Items []struct{ Message string }
	}
	if err := c.Get(t.Context(), events, &list); err != nil || len(list.Items) == 0 {
		t.Errorf("no event explains it: %v", err)
	}
}
