package suite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/siloshim/siloshim/test/cluster/kube"
	"github.com/siloshim/siloshim/test/wine/testenv"
)

// limit bounds one wait. Nothing takes that long, also on a busy machine.
const limit = 10 * time.Minute

// handlers are the runtime classes of the shim.
var handlers = []string{testenv.SiloHandler, testenv.SandboxHandler}

// newSuite is the suite of a cluster, which stops with the test.
func newSuite(t *testing.T, cluster *kube.Cluster) *suite {
	c := &suite{Cluster: cluster, table: newTable()}
	t.Cleanup(func() {
		c.explain(t)
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// TestCluster starts a cluster, applies deploy/kubernetes, and runs all cases on it. In the end nothing may be left.
func TestCluster(t *testing.T) {
	wine := testenv.RequireCRI(t)
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cluster, err := kube.Start(ctx, wine)
	if errors.Is(err, kube.ErrNotBuilt) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	c := newSuite(t, cluster)
	if err := c.Apply(ctx); err != nil {
		t.Fatal(err)
	}
	t.Run("bootstrap", c.bootstrap)
	t.Run("deploy", c.deploy)
	t.Run("workloads", c.workloads)
	if !testing.Short() {
		t.Run("pods", c.eachHandler)
	}
	if !testing.Short() {
		t.Run("top", c.top)
		t.Run("drain", c.drain)
	}
	t.Run("daemons", c.daemons)
	if !testing.Short() {
		t.Run("chaos", c.chaos)
	}
	t.Run("nothing left", c.nothingLeft)
	t.Log("\n" + c.table.String())
}

// suite is a cluster with the table of its cases.
type suite struct {
	*kube.Cluster
	table *table
	list  sync.Mutex // of crictl and ctr: one at a time, as polls of all cases would take the processors
}

// eachHandler runs the cases of single pods with each handler, all at once.
func (c *suite) eachHandler(t *testing.T) {
	for name, test := range map[string]func(*testing.T, string){
		"probes and hooks": c.probes, "volumes": c.volumes, "copy": c.copies, "crash loop": c.crashLoop, "scheduling": c.scheduling,
		"limits": c.limits, "resize": c.resize, "stop": c.stop, "logs over a restart": c.followed, "debug": c.debug, "memory": c.memory,
	} {
		for _, h := range handlers {
			t.Run(name+" "+h, func(t *testing.T) {
				t.Parallel()
				test(t, h)
			})
		}
	}
}

// explain names the logs after a failure.
func (c *suite) explain(t *testing.T) {
	if t.Failed() {
		t.Logf("logs: %s, %s", kube.Dir(c.Wine.Root()), c.Node.LogPath())
	}
}

// kubectl runs kubectl, which must succeed, and returns its output.
func (c *suite) kubectl(t *testing.T, args ...string) string {
	t.Helper()
	r := c.try(t, "", args...)
	if r.code != 0 {
		t.Fatalf("kubectl %q: exit %d: %s", args, r.code, r.stderr)
	}
	return r.stdout
}

// result is what a program has printed, and its exit code.
type result struct {
	stdout, stderr string
	code           int
}

// try runs kubectl with standard input and waits for its exit.
func (c *suite) try(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	return run(t, c.Kubectl(ctx, args...), stdin)
}

func run(t *testing.T, cmd *exec.Cmd, stdin string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%q: %v", cmd.Args, err)
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// until waits for a condition.
func until(t *testing.T, what string, holds func() (bool, error)) {
	t.Helper()
	if err := await(t, what, holds); err != nil {
		t.Fatal(err)
	}
}

// await is until that returns the error.
func await(t *testing.T, what string, holds func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	return kube.Until(ctx, what, holds)
}

// serial makes the names of namespaces unique.
var serial atomic.Int64

// namespace creates a namespace that is deleted with the test.
func (c *suite) namespace(t *testing.T) string {
	t.Helper()
	name := c.lastingNamespace(t)
	t.Cleanup(func() {
		if err := c.Delete(context.Background(), "api/v1/namespaces/"+name); err != nil {
			t.Error(err)
		}
	})
	return name
}

// lastingNamespace creates a namespace for privileged pods.
func (c *suite) lastingNamespace(t *testing.T) string {
	t.Helper()
	name := fmt.Sprintf("test-%d", serial.Add(1))
	err := c.Create(t.Context(), "api/v1/namespaces", object{
		"apiVersion": "v1", "kind": "Namespace",
		"metadata": object{"name": name, "labels": object{"pod-security.kubernetes.io/enforce": "privileged"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// create creates an object of a core API in a namespace.
func (c *suite) create(t *testing.T, namespace, collection string, o object) {
	t.Helper()
	api := "api/v1"
	if group, ok := o["apiVersion"].(string); ok && group != "v1" {
		api = "apis/" + group
	}
	if err := c.Create(t.Context(), api+"/namespaces/"+namespace+"/"+collection, o); err != nil {
		t.Fatal(err)
	}
}

// pods waits until a namespace has n pods for which holds returns true, and no other.
func (c *suite) pods(t *testing.T, namespace string, n int, what string, holds func(*kube.Pod) bool) []kube.Pod {
	t.Helper()
	var pods []kube.Pod
	until(t, fmt.Sprintf("%s has %d pods that are %s", namespace, n, what), func() (bool, error) {
		var err error
		if pods, err = c.Pods(t.Context(), namespace, ""); err != nil {
			return false, err
		}
		matching := 0
		for i := range pods {
			if holds(&pods[i]) {
				matching++
			}
		}
		return matching == n && len(pods) == n, fmt.Errorf("%s", describe(pods))
	})
	return pods
}

// describe prints pods for an error.
func describe(pods []kube.Pod) string {
	var out []string
	for _, p := range pods {
		out = append(out, fmt.Sprintf("%s %s %s: %+v", p.Metadata.Name, p.Status.Phase, p.Status.Reason, p.Status.ContainerStatuses))
	}
	return strings.Join(out, "; ")
}

func ready(p *kube.Pod) bool     { return p.Ready() }
func succeeded(p *kube.Pod) bool { return p.Status.Phase == "Succeeded" }

// removed waits until nothing of a pod is left on the node: kubelet's directory, the sandbox, and containers. kubelet removes
// sandboxes once a minute.
func (c *suite) removed(t *testing.T, p *kube.Pod) error {
	dir := filepath.Join(c.Wine.UnixPath(`C:\silo\kubelet\pods`), p.Metadata.UID)
	const label = "io.kubernetes.pod.uid"
	return await(t, "the node has removed "+p.Metadata.Name, func() (bool, error) {
		if _, err := os.Stat(dir); err == nil {
			return false, fmt.Errorf("%s exists", dir)
		}
		c.list.Lock()
		defer c.list.Unlock()
		if ok, err := none(run(t, c.Node.Crictl(t.Context(), "pods", "-q", "--label", label+"="+p.Metadata.UID), "")); !ok {
			return false, err
		}
		return none(run(t, c.Node.Ctr(t.Context(), "-n", "k8s.io", "containers", "ls", "-q", fmt.Sprintf("labels.%q==%s", label, p.Metadata.UID)), ""))
	})
}

// none is true if a program that lists something has printed nothing.
func none(r result) (bool, error) {
	if r.code == 0 && strings.TrimSpace(r.stdout) == "" {
		return true, nil
	}
	return false, fmt.Errorf("exit %d: it lists %s %s", r.code, r.stdout, r.stderr)
}
