package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/siloshim/siloshim/container/podinfo"
	"github.com/siloshim/siloshim/jobobject"
)

// workload describes a container.
type workload struct {
	namespace, id string
	pod           podinfo.Pod
	program       string
	images        []string
	processes     int
	limits        jobobject.Limits
	heavy         float64 // processors that it wants all the time; 0 for a mixture
	restarts      int
	warnings, log []string
}

// services are what the containers of the shim and of the Host Compute Service run.
var services = []struct{ name, image string }{
	{"storefront", "w3wp.exe"}, {"checkout", "dotnet.exe"}, {"catalog", "dotnet.exe"}, {"search", "java.exe"}, {"identity", "w3wp.exe"},
	{"metrics-agent", "windows_exporter.exe"}, {"log-shipper", "fluent-bit.exe"}, {"csi-proxy", "csi-proxy.exe"}, {"kube-proxy", "kube-proxy.exe"},
	{"calico-node", "calico-node.exe"}, {"mailer", "dotnet.exe"}, {"pricing", "dotnet.exe"}, {"thumbnails", "node.exe"}, {"sessions", "redis-server.exe"},
	{"orders", "w3wp.exe"}, {"returns", "w3wp.exe"}, {"inventory", "java.exe"}, {"feeds", "node.exe"}, {"audit", "dotnet.exe"}, {"gateway", "envoy.exe"},
}

// programs are the containers of silo run.
var programs = []workload{
	{
		id: "indexer", program: `C:\apps\indexer\indexer.exe`, images: []string{"indexer.exe", "worker.exe", "worker.exe", "worker.exe", "compact.exe", "conhost.exe"}, processes: 7, heavy: 2.3,
		limits: jobobject.Limits{CPURate: 1250, JobMemory: 768 << 20, ActiveProcesses: 16},
	},
	{
		id: "report-builder", program: `C:\apps\reports\build.exe`, images: []string{"build.exe", "excel.exe"}, processes: 3, restarts: 4,
		limits: jobobject.Limits{JobMemory: 1 << 30},
	},
	{id: "watch-folders", program: `C:\apps\watch\watch.exe`, images: []string{"watch.exe"}, processes: 1},
	{id: "backup", program: `C:\apps\backup\backup.exe`, images: []string{"backup.exe", "vss.exe"}, processes: 2, limits: jobobject.Limits{CPURate: 2500, PriorityClass: jobobject.PriorityIdle}},
	{id: "build-agent", program: `C:\agent\agent.exe`, images: []string{"agent.exe", "msbuild.exe", "cl.exe"}, processes: 6, limits: jobobject.Limits{CPURate: 5000}},
	{id: "legacy-pos", program: `C:\pos\pos.exe`, images: []string{"pos.exe"}, processes: 1, limits: jobobject.Limits{JobMemory: 384 << 20}},
}

// hostileWorkload tries to write into the page.
var hostileWorkload = workload{
	namespace: "silo", id: `"><img src=x onerror=alert(1)><b>bold`, program: `C:\a\<script>alert(2)<script>.exe`,
	images: []string{`<svg onload=alert(3)>.exe`}, processes: 2,
	warnings: []string{"<i>warning<i>"},
	log:      []string{"<script>alert(4)</script>", "\x1b[31mred\x1b[0m \x00\x07 \u202Eexe.txt", "\xff\xfe bytes", "&lt;b&gt; javascript:alert(5)"},
}

// workloadAt is the container with this number: a fifth are those of silo run.
func workloadAt(i int) workload {
	if at := i / 5; i%5 == 0 {
		w := programs[at%len(programs)]
		w.namespace = "silo"
		if at >= len(programs) {
			w.id = fmt.Sprintf("%s-%d", w.id, at/len(programs)+1)
		}
		return w
	}
	s := services[(i-i/5-1)%len(services)]
	sum := sha256.Sum256(fmt.Append(nil, s.name, i))
	w := workload{
		namespace: "k8s.io", id: hex.EncodeToString(sum[:]), pod: podinfo.Pod{
			Namespace: "shop", Name: fmt.Sprintf("%s-%s-%s", s.name, hex.EncodeToString(sum[4:9]), hex.EncodeToString(sum[10:12])+"x"), Container: s.name,
		},
		images: []string{s.image, "conhost.exe", s.image}, processes: 1 + i%4,
	}
	switch {
	case i%7 == 3:
		w.namespace = "hcs"
		w.images = []string{"CExecSvc.exe", "services.exe", s.image, "svchost.exe"}
		w.processes = 6
		w.limits = jobobject.Limits{JobMemory: 4 << 30}
	case i%4 == 1:
		w.limits = jobobject.Limits{JobMemory: 1 << 30, CPURate: 625}
	}
	return w
}

// logLine is a line as a program prints it.
func logLine(r *rand.Rand, at time.Time) string {
	lines := []string{
		"INFO  segment %d merged", "INFO  %d documents in the queue", "DEBUG cache: %d entries", "WARN  slow read of shard %d", "INFO  checkpoint %d written",
	}
	return at.Format("2006-01-02 15:04:05.000 ") + fmt.Sprintf(lines[r.IntN(len(lines))], 1000+r.IntN(9000))
}
