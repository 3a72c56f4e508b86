package e2e

import (
	"bytes"
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/siloshim/siloshim/test/wine/testenv"
	"github.com/siloshim/siloshim/test/workload"
)

// pods is how many pods TestManyPods_AtOnce_NothingRemains runs at once; 50 in `make pods`.
var pods = flag.Int("pods", 3, "pods at once, for TestManyPods_AtOnce_NothingRemains")

// idle is how long the pods are left alone, while the test counts what their shims do. It makes the test a measurement.
var idle = flag.Duration("idle", 0, "time without a request, for TestManyPods_AtOnce_NothingRemains")

// scrapes is how often the metrics of all pods are queried, as a kubelet does every ten seconds.
const scrapes = 10

// cost has the measurements of a node's pods.
type cost struct {
	*node
	ids        []string // of the pods
	containers []string
	times      map[string][]time.Duration
	processor  []time.Duration // of all shims, for one scrape
	memory     []uint64        // resident bytes of each shim
	private    []uint64        // resident bytes of each shim that are not shared
	rest       time.Duration   // processor time of all shims while idle
	switches   uint64          // context switches of all shims while idle
}

// time measures a step.
func (c *cost) time(step string, do func()) {
	began := time.Now()
	do()
	c.times[step] = append(c.times[step], time.Since(began))
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
		costs = append(costs, &cost{node: start(t, h), times: map[string][]time.Duration{}})
	}
	for range *pods {
		for _, c := range costs {
			p := c.pod(t)
			var id string
			c.time("start a pod", func() { id = c.run(t, p) })
			c.time("start its container", func() { c.containers = append(c.containers, c.start(t, id, container("sleep", "86400"), p)) })
			c.ids = append(c.ids, id)
		}
	}
	for _, c := range costs {
		if c.weigh(t); len(c.memory) != *pods {
			t.Errorf("%s: %d shims run for %d pods", c.handler, len(c.memory), *pods)
		}
	}
	if *idle > 0 {
		leaveAlone(t, costs)
	}
	for range scrapes {
		for _, c := range costs {
			c.time("exec probe", func() { c.probe(t) })
			before := c.used(t)
			c.time("scrape all", func() { c.scrape(t) })
			c.processor = append(c.processor, c.used(t)-before)
		}
	}
	for i := range *pods {
		for _, c := range costs {
			c.time("remove a pod", func() { c.drop(t, c.ids[i]) })
		}
	}
	for _, c := range costs {
		c.nothingLeft(t)
		if bundles, err := filepath.Glob(filepath.Join(c.StateDir(), "io.containerd.runtime.v2.task", "k8s.io", "*")); err != nil || len(bundles) > 0 {
			t.Errorf("%s: bundles remain: %v, %v", c.handler, bundles, err)
		}
	}
	t.Logf("medians with %d pods:\n%s", *pods, table(costs))
}

// leaveAlone counts what the shims do without a request.
func leaveAlone(t *testing.T, costs []*cost) {
	t.Helper()
	for _, c := range costs {
		c.rest, c.switches = -c.used(t), -c.switched(t)
	}
	select {
	case <-time.After(*idle): // this is what is measured
	case <-t.Context().Done():
	}
	for _, c := range costs {
		c.rest, c.switches = c.rest+c.used(t), c.switches+c.switched(t)
	}
}

// probe runs a program in the container of the first pod, as a kubelet's exec probe does.
func (c *cost) probe(t *testing.T) {
	t.Helper()
	c.crictl(t, "exec", "--sync", c.containers[0], workload.Payload, "exit", "0")
}

// switched is the number of context switches of all shims.
func (n *node) switched(t *testing.T) (sum uint64) {
	t.Helper()
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
				sum += n
			}
		}
	}
	return sum
}

// scrape queries the metrics of all containers.
func (n *node) scrape(t *testing.T) {
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
		resident, private := residentOf(t, p.Pid)
		c.memory, c.private = append(c.memory, resident), append(c.private, private)
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

// table prints the medians of the handlers side by side.
func table(costs []*cost) string {
	var out bytes.Buffer
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(name string, cell func(*cost) string) {
		fmt.Fprintf(w, "%s\t", name)
		for _, c := range costs {
			fmt.Fprintf(w, "%s\t", cell(c))
		}
		fmt.Fprintln(w)
	}
	row("", func(c *cost) string { return c.handler })
	for _, step := range []string{"start a pod", "start its container", "exec probe", "scrape all", "remove a pod"} {
		row(step, func(c *cost) string { return median(c.times[step]).Round(time.Millisecond).String() })
	}
	row("processor time of the shims", func(c *cost) string { return mean(c.processor).Round(time.Millisecond).String() })
	row("memory of a shim", func(c *cost) string { return fmt.Sprintf("%.1f MB", float64(median(c.memory))/1e6) })
	row("private memory of a shim", func(c *cost) string { return fmt.Sprintf("%.1f MB", float64(median(c.private))/1e6) })
	row("private memory of all", func(c *cost) string { return fmt.Sprintf("%.1f MB", float64(sum(c.private))/1e6) })
	if *idle > 0 {
		row("processor time idle", func(c *cost) string { return c.rest.String() })
		row("context switches idle", func(c *cost) string { return fmt.Sprint(c.switches) })
	}
	_ = w.Flush() // to a buffer
	return out.String()
}

// median is the middle value, or zero of an empty list.
func median[T time.Duration | uint64](all []T) (middle T) {
	if len(all) > 0 {
		middle = slices.Sorted(slices.Values(all))[len(all)/2]
	}
	return middle
}

func sum(all []uint64) (total uint64) {
	for _, n := range all {
		total += n
	}
	return total
}

// mean averages times that the kernel counts in ticks.
func mean(all []time.Duration) (sum time.Duration) {
	for _, d := range all {
		sum += d
	}
	return sum / time.Duration(max(len(all), 1))
}
