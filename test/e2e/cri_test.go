package e2e

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/test/wine/testenv"
	"github.com/siloshim/siloshim/test/workload"
)

// TestPods does with HostProcess pods what a kubelet does, through crictl.
func TestPods(t *testing.T) {
	eachHandler(t, cases{
		"session":         podSession,
		"lists":           podListsAndFilters,
		"stop":            podEndsItsContainers,
		"refused":         podRefused,
		"shim killed":     podShimKilled,
		"metrics":         podMetricsMatchThePrograms,
		"users":           podUsers,
		"user refused":    podUserRefused,
		"another Windows": podOfAnotherWindows,
	})
}

// TestPodContainers does the same with the containers of a HostProcess pod.
func TestPodContainers(t *testing.T) {
	eachHandler(t, cases{
		"states":       containerStates,
		"lists":        containerLists,
		"stop":         containerStop,
		"environment":  containerEnvironment,
		"exec sync":    containerExecSync,
		"exec streams": containerExecStreams,
		"exec held":    containerExecHeld,
		"attach":       containerAttach,
		"attach again": containerAttachRestart,
		"log":          containerLog,
		"log reopened": containerLogReopened,
		"from image":   containerFromImage,
		"volumes":      containerVolumes,
	})
}

// handlers selects the runtime handlers of the CRI tests. With runhcs the reference shim runs, which shows whether a failure
// is one of the test environment.
var handlers = flag.String("handlers", "", "the runtime handlers to test, with commas: silo, silo-sandbox, runhcs")

// chosen are the runtime handlers to test.
func chosen() []string {
	if *handlers != "" {
		return strings.Split(*handlers, ",")
	}
	return testenv.Handlers()
}

// node is a machine for a kubelet: containerd with CRI, and images.
type node struct {
	*daemon
	handler string // of the pods to run
}

// The images of a node.
const (
	image      = "test.invalid/payload:1"
	otherImage = "test.invalid/newer:1" // for a newer Windows than this machine has
)

// cases are tests that share a node, by name.
type cases map[string]func(*testing.T, *node)

// eachHandler runs the cases with each handler. No process may remain after a case. After a failure the next case gets a
// new node.
func eachHandler(t *testing.T, all cases) {
	t.Helper()
	for _, h := range chosen() {
		t.Run(h, func(t *testing.T) {
			n := newNode(t, h)
			for _, name := range slices.Sorted(maps.Keys(all)) {
				passed := t.Run(name, func(t *testing.T) {
					all[name](t, n)
					if !t.Failed() {
						n.nothingLeft(t)
					}
				})
				if !passed {
					n = newNode(t, h)
				}
			}
		})
	}
}

// newMeasuredNode starts a node on which both shims pay the same for Wine's gaps.
func newMeasuredNode(t *testing.T, handler string) *node {
	t.Helper()
	return startNode(t, testenv.RequireCRI(t), handler, "WINEGAP=bench")
}

// newNode starts a node that can run job containers of a handler.
func newNode(t *testing.T, handler string) *node {
	t.Helper()
	wine := testenv.RequireCRI(t)
	if handler == testenv.PeerHandler {
		return startNode(t, wine, handler, "WINEGAP=peer")
	}
	return startNode(t, wine, handler, "WINEGAP_DLLS="+wine.WindowsPath(buildDLL(t, "vmcompute.dll", "dll/storage.c", "dll/image.c"))+`\`)
}

// startNode starts a containerd with these variables and imports the images.
func startNode(t *testing.T, wine *testenv.Env, handler string, env ...string) *node {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	c, err := wine.CRI(ctx, fmt.Sprintf("cri-%d-%d", os.Getpid(), serial.Add(1)), env...)
	if err != nil {
		t.Fatal(err)
	}
	n := &node{keep(t, wine, c), handler}
	archive := filepath.Join(n.dir, "images.tar")
	payload := map[string]string{"payload.exe": wine.UnixPath(wine.Exe("payload"))}
	entry := []string{`%CONTAINER_SANDBOX_MOUNT_POINT%\payload.exe`}
	err = testenv.WriteImages(archive,
		testenv.Image{Name: testenv.SandboxImage, OSVersion: testenv.OSVersion, Entrypoint: []string{workload.Payload, "sleep", "86400"}, Files: payload},
		testenv.Image{Name: image, OSVersion: testenv.OSVersion, Entrypoint: entry, Env: []string{"FROM_IMAGE=yes"}, Files: payload},
		testenv.Image{Name: otherImage, OSVersion: "10.0.65535.1", Entrypoint: entry, Files: payload},
	)
	if err != nil {
		t.Fatal(err)
	}
	n.ctr(t, "-n", "k8s.io", "images", "import", "--all-platforms", wine.WindowsPath(archive))
	return n
}

// try runs crictl and waits for its exit.
func (n *node) try(t *testing.T, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	return run(t, n.Crictl(ctx, args...))
}

// crictl runs crictl, fails the test unless it succeeds, and returns its last line: the id, if it creates an object. If
// Wine killed crictl during its exit, its output counts; see list.
func (n *node) crictl(t *testing.T, args ...string) string {
	t.Helper()
	r := n.try(t, args...)
	out := strings.TrimSpace(r.stdout)
	if r.code != 0 && (r.killed == 0 || out == "") {
		t.Fatalf("crictl %s: exit %d\n%s%s", strings.Join(args, " "), r.code, r.stdout, r.stderr)
	}
	return out[strings.LastIndexByte(out, '\n')+1:]
}

// refused runs crictl, which must fail with an error that contains words.
func (n *node) refused(t *testing.T, words string, args ...string) {
	t.Helper()
	r := n.try(t, args...)
	if r.code == 0 || !strings.Contains(strings.ToLower(r.stderr), strings.ToLower(words)) {
		t.Errorf("crictl %s: exit %d, error %q, want one with %q", strings.Join(args, " "), r.code, r.stderr, words)
	}
}

// query runs crictl and decodes its JSON.
func (n *node) query(t *testing.T, into any, args ...string) {
	t.Helper()
	args = slices.Insert(args, 1, "-o", "json")
	r := n.try(t, args...)
	for r.killed != 0 { // see list
		r = n.try(t, args...)
	}
	if r.code != 0 {
		t.Fatalf("crictl %s: exit %d\n%s", strings.Join(args, " "), r.code, r.stderr)
	}
	if err := json.Unmarshal([]byte(r.stdout), into); err != nil {
		t.Fatalf("crictl %s: %v in %s", strings.Join(args, " "), err, r.stdout)
	}
}

// document writes a value to a file for crictl.exe.
func (n *node) document(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(n.dir, newID()+".json")
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return n.wine.WindowsPath(path)
}

// before22 reports whether the tested containerd is older than 2.2.
func before22() bool {
	version := os.Getenv(testenv.DaemonKey)
	return slices.ContainsFunc([]string{"1.", "2.0.", "2.1."}, func(old string) bool { return strings.HasPrefix(version, old) })
}
