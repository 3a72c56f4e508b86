package e2e

import (
	"strings"
	"testing"

	"github.com/siloshim/siloshim/test/wine/testenv"
)

// metric is a number in the answers of CRI.
type metric struct {
	Value uint64 `json:"value,string"`
}

// containerStats is a container in "crictl stats".
type containerStats struct {
	Attributes struct {
		ID string `json:"id"`
	} `json:"attributes"`
	CPU struct {
		UsageCoreNanoSeconds metric `json:"usageCoreNanoSeconds"`
	} `json:"cpu"`
	Memory struct {
		WorkingSetBytes   metric `json:"workingSetBytes"`
		CommitMemoryBytes metric `json:"commitMemoryBytes"`
	} `json:"memory"`
}

// podStats is a pod in "crictl statsp".
type podStats struct {
	Attributes struct {
		ID string `json:"id"`
	} `json:"attributes"`
	Windows struct {
		containerStats
		Process struct {
			ProcessCount metric `json:"processCount"`
		} `json:"process"`
		Containers []containerStats `json:"containers"`
	} `json:"windows"`
}

// stats queries a container by its id.
func (n *node) stats(t *testing.T, id string) containerStats {
	t.Helper()
	var answer struct{ Stats []containerStats }
	n.query(t, &answer, "stats", "--id", id)
	if len(answer.Stats) != 1 || answer.Stats[0].Attributes.ID != id {
		t.Fatalf("stats of %s: %+v", id, answer)
	}
	return answer.Stats[0]
}

// podStats queries a pod by its id. containerd 2.4 has no answer for pods of the Sandbox API on Windows: it looks for the
// container of the sandbox, and there is none. Then ok is false.
func (n *node) podStats(t *testing.T, id string) (s podStats, ok bool) {
	t.Helper()
	var answer struct{ Stats []podStats }
	n.query(t, &answer, "statsp", "--id", id)
	if n.handler == testenv.SandboxHandler {
		if len(answer.Stats) > 0 {
			t.Errorf("containerd now reports pods of the Sandbox API, so check it: %+v", answer.Stats)
		}
		return s, false
	}
	if len(answer.Stats) != 1 || answer.Stats[0].Attributes.ID != id {
		t.Fatalf("statsp of %s: %+v", id, answer)
	}
	return answer.Stats[0], true
}

// podMetricsMatchThePrograms compares the memory of the containers and of the pod with what the programs print about
// themselves. Every process is counted.
func podMetricsMatchThePrograms(t *testing.T, n *node) {
	p := n.pod(t)
	pod := n.run(t, p)
	var ids []string
	var sum uint64
	for _, mb := range []string{"128", "64"} {
		c := container("alloc", mb, "600")
		id := n.start(t, pod, c, p)
		var s report
		n.awaitLine(t, id, &s.pid, &s.bytes)
		near(t, "working set of "+mb, n.stats(t, id).Memory.WorkingSetBytes.Value, s.bytes)
		ids, sum = append(ids, id), sum+s.bytes
	}
	n.podMetrics(t, pod, ids, sum)
	var list struct{ Stats []containerStats }
	n.query(t, &list, "stats")
	if len(list.Stats) != 2 {
		t.Errorf("stats lists %d containers, want %v", len(list.Stats), ids)
	}
	n.drop(t, pod)
}

// podMetrics compares the metrics of a pod with those of its two containers.
func (n *node) podMetrics(t *testing.T, pod string, ids []string, sum uint64) {
	t.Helper()
	stats, ok := n.podStats(t, pod)
	if !ok {
		return
	}
	all := stats.Windows
	near(t, "working set of the pod", all.Memory.WorkingSetBytes.Value, sum)
	if !before22() { // these versions do not add it up
		near(t, "commit of the pod", all.Memory.CommitMemoryBytes.Value, sum)
	}
	if all.CPU.UsageCoreNanoSeconds.Value == 0 {
		t.Error("the pod used no processor time")
	}
	processes := 0
	for _, id := range append(ids, pod) {
		processes += strings.Count(n.ctr(t, "-n", "k8s.io", "task", "ps", id), "\n") - 1 // without the heading
	}
	if got := all.Process.ProcessCount.Value; got != uint64(processes) || processes < 3 {
		t.Errorf("the pod has %d processes, want the %d that containerd lists", got, processes)
	}
	if len(all.Containers) != 2 {
		t.Errorf("the pod reports %d containers, want 2", len(all.Containers))
	}
}
