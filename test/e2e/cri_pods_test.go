package e2e

import (
	"flag"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/siloshim/siloshim/test/wine/testenv"
	"github.com/siloshim/siloshim/test/workload"
)

// Flags of TestManyPods_AtOnce_NothingRemains, which `make bench-pods` sets.
var (
	pods       = flag.Int("pods", 3, "pods at once, for TestManyPods_AtOnce_NothingRemains")
	idle       = flag.Duration("idle", 0, "how long the pods are left alone, which makes TestManyPods_AtOnce_NothingRemains a measurement")
	resultFile = flag.String("result", "", "file for the result of TestManyPods_AtOnce_NothingRemains")
)

// scrapes is how often the metrics of all pods are queried, as a kubelet does every ten seconds.
const scrapes = 10

// cost has the measurements of a node's pods.
type cost struct {
	*node
	ids        []string // of the pods
	containers []string
	times      map[string][]time.Duration
	processor  map[string][]time.Duration // of all shims, for a scrape
	missing    []uint64                   // pods without metrics, in each scrape
	resident   []uint64                   // bytes of each shim
	private    []testenv.Memory           // of each shim
	rest       time.Duration              // processor time of all shims while idle
	switches   uint64                     // context switches of all shims while idle
	awake      map[string]uint64          // threads that had some, with their number
}

// time measures a step.
func (c *cost) time(step string, do func()) {
	began := time.Now()
	do()
	c.times[step] = append(c.times[step], time.Since(began))
}

// measure measures a step, and what it costs the shims.
func (c *cost) measure(t *testing.T, step string, do func()) {
	t.Helper()
	before := c.used(t)
	c.time(step, do)
	c.processor[step] = append(c.processor[step], c.used(t)-before)
}

// The pods have a container each. There is one shim a pod, every container has metrics, and nothing remains. Each handler
// has a node; the handlers take turns, so that their times can be compared.
func TestManyPods_AtOnce_NothingRemains(t *testing.T) {
	var costs []*cost
	start := newNode
	if *idle > 0 {
		start = newMeasuredNode
	}
	for _, h := range chosen() {
		costs = append(costs, &cost{node: start(t, h), times: map[string][]time.Duration{}, processor: map[string][]time.Duration{}})
	}
	for range *pods {
		for _, c := range costs {
			p := c.pod(t)
			var id string
			c.time(startPod, func() { id = c.run(t, p) })
			c.time(startContainer, func() { c.containers = append(c.containers, c.start(t, id, container("sleep", "86400"), p)) })
			c.ids = append(c.ids, id)
		}
	}
	for _, c := range costs {
		if c.weigh(t); len(c.resident) != *pods {
			t.Errorf("%s: %d shims run for %d pods", c.handler, len(c.resident), *pods)
		}
	}
	if *idle > 0 {
		leaveAlone(t, costs)
	}
	for i := range *pods {
		for _, c := range costs {
			c.time(probe, func() { c.probe(t, c.containers[i]) })
		}
	}
	for range scrapes {
		for _, c := range costs {
			c.measure(t, scrapeContainers, func() { c.containerStats(t) })
			c.measure(t, scrapePods, func() { c.podStats(t) })
		}
	}
	for i := range *pods {
		for _, c := range costs {
			c.time(remove, func() { c.drop(t, c.ids[i]) })
		}
	}
	for _, c := range costs {
		c.nothingLeft(t)
		if bundles, err := filepath.Glob(filepath.Join(c.StateDir(), "io.containerd.runtime.v2.task", "k8s.io", "*")); err != nil || len(bundles) > 0 {
			t.Errorf("%s: bundles remain: %v, %v", c.handler, bundles, err)
		}
	}
	rows := rowsOf(costs)
	t.Logf("with %d pods:\n%s", *pods, table(costs, rows))
	if *resultFile != "" {
		writeResult(t, costs, rows)
	}
}

// leaveAlone counts what the shims do without a request.
func leaveAlone(t *testing.T, costs []*cost) {
	t.Helper()
	before := map[*cost]map[string]uint64{}
	for _, c := range costs {
		c.rest, before[c] = -c.used(t), c.switched(t)
	}
	select {
	case <-time.After(*idle): // this is what is measured
	case <-t.Context().Done():
	}
	for _, c := range costs {
		c.rest, c.awake = c.rest+c.used(t), c.switched(t)
		for thread := range c.awake {
			c.awake[thread] -= before[c][thread]
			c.switches += c.awake[thread]
		}
		maps.DeleteFunc(c.awake, func(_ string, n uint64) bool { return n == 0 })
		t.Logf("%s: threads that woke up, with their context switches: %v", c.handler, c.awake)
	}
}

// probe runs a program in a container, as a kubelet's exec probe does.
func (n *node) probe(t *testing.T, container string) {
	t.Helper()
	n.crictl(t, "exec", "--sync", container, workload.Payload, "print", "alive") // Wine kills some that have printed it, see crictl
}

// switched has the context switches of each thread of all shims.
func (n *node) switched(t *testing.T) map[string]uint64 {
	t.Helper()
	all := map[string]uint64{}
	for _, p := range n.shims(t) {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", p.Pid))
		if err != nil {
			t.Fatal(err)
		}
		for _, thread := range threads {
			for line := range strings.Lines(text(t, thread)) {
				name, count, _ := strings.Cut(line, ":")
				if !strings.HasSuffix(name, "voluntary_ctxt_switches") {
					continue
				}
				n, err := strconv.ParseUint(strings.TrimSpace(count), 10, 64)
				if err != nil {
					t.Fatal(err)
				}
				all[thread] += n
			}
		}
	}
	return all
}

// podStats queries the metrics of all pods. Those whose shim does not answer containerd within two seconds are missing; without a
// measurement there is none.
func (c *cost) podStats(t *testing.T) {
	t.Helper()
	r := c.try(t, "statsp", "-o", "json")
	for r.killed != 0 { // see list
		r = c.try(t, "statsp", "-o", "json")
	}
	missing := map[string]bool{}
	for _, m := range missingPod.FindAllStringSubmatch(r.stderr, -1) {
		missing[m[1]] = true
	}
	if r.code != 0 && (len(missing) == 0 || *idle == 0) {
		t.Errorf("crictl statsp: exit %d\n%s", r.code, r.stderr)
	}
	c.missing = append(c.missing, uint64(len(missing)))
}

// missingPod matches containerd's error.
var missingPod = regexp.MustCompile(`failed to decode sandbox container metrics for sandbox \\*"([0-9a-f]+)`)

// containerStats queries the metrics of all containers.
func (n *node) containerStats(t *testing.T) {
	t.Helper()
	var answer struct{ Stats []containerStats }
	n.query(t, &answer, "stats")
	if len(answer.Stats) != *pods {
		t.Errorf("%d containers report metrics, want %d", len(answer.Stats), *pods)
	}
	for _, s := range answer.Stats {
		if s.Memory.WorkingSetBytes.Value == 0 {
			t.Errorf("container %s has no memory", s.Attributes.ID)
		}
	}
}

// shims lists the processes of the shims.
func (n *node) shims(t *testing.T) []testenv.Process {
	t.Helper()
	all, err := n.Processes()
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(p testenv.Process) bool { return !strings.HasPrefix(p.Name(), "containerd-shim") })
}

// weigh reads the memory of the shims.
func (c *cost) weigh(t *testing.T) {
	t.Helper()
	for _, p := range c.shims(t) {
		resident, _ := residentOf(t, p.Pid)
		private, err := testenv.MemoryOf(p.Pid)
		if err != nil {
			t.Fatal(err)
		}
		c.resident, c.private = append(c.resident, resident), append(c.private, private)
	}
}

// residentOf is the resident memory of a process in bytes, by Linux, and that part of it that is not shared.
func residentOf(t *testing.T, pid int) (resident, private uint64) {
	t.Helper()
	status := text(t, fmt.Sprintf("/proc/%d/status", pid))
	return kilobytes(t, status, "VmRSS:"), kilobytes(t, status, "RssAnon:")
}

// used is the processor time of all shims, without that of Wine's server.
func (n *node) used(t *testing.T) (sum time.Duration) {
	t.Helper()
	for _, p := range n.shims(t) {
		sum += processorTime(t, p.Pid)
	}
	return sum
}

// processorTime is that of a process, by Linux.
func processorTime(t *testing.T, pid int) time.Duration {
	t.Helper()
	const tick = 10 * time.Millisecond
	stat := text(t, fmt.Sprintf("/proc/%d/stat", pid))
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	var user, kernel time.Duration
	if _, err := fmt.Sscan(fields[11]+" "+fields[12], &user, &kernel); err != nil {
		t.Fatalf("read processor time %v in %s", err, stat)
	}
	return (user + kernel) * tick
}

// kilobytes reads a value of /proc/PID/status, in bytes.
func kilobytes(t *testing.T, status, name string) (n uint64) {
	t.Helper()
	_, rest, _ := strings.Cut(status, name)
	if _, err := fmt.Sscan(rest, &n); err != nil {
		t.Fatalf("read %s %v", name, err)
	}
	return n << 10
}
