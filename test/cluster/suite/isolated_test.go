package suite

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/test/cluster/kube"
	"github.com/siloshim/siloshim/test/wine/testenv"
	"github.com/siloshim/siloshim/test/workload"
)

// The images of samples/process-isolated.yaml, and the build of Windows that it is for.
var sampleImages = []string{"mcr.microsoft.com/windows/nanoserver:ltsc2022", "mcr.microsoft.com/windows/servercore:ltsc2022"}

const sampleBuild = "20348"

// TestProcessIsolated runs pods of Windows Server containers under kubelet, on the emulated Host Compute Service (HCS).
func TestProcessIsolated(t *testing.T) {
	if testing.Short() {
		t.Skip("not in the short form")
	}
	wine := testenv.RequireCRI(t)
	if err := kube.Built(wine.Root()); err != nil {
		t.Skip(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	dlls, namespaces, log := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "hcsim.log")
	if err := testenv.BuildComputeService(ctx, wine.Root(), dlls); err != nil {
		t.Fatal(err)
	}
	cluster, err := kube.StartEmulated(ctx, wine, kube.Emulation{Build: sampleBuild, Images: sampleImages, Env: []string{
		"WINEGAP_DLLS=" + wine.WindowsPath(dlls) + `\`, "HCSIM_LOG=" + wine.WindowsPath(log), "HCSIM_NAMESPACES=" + wine.WindowsPath(namespaces) + `\`,
	}})
	if err != nil {
		t.Fatal(err)
	}
	c := newSuite(t, cluster)
	if err := c.CreateRuntimeClasses(ctx); err != nil {
		t.Fatal(err)
	}
	t.Run("workloads", func(t *testing.T) {
		for _, k := range kinds {
			for _, h := range handlers {
				if k.long {
					continue
				}
				t.Run(k.name+" "+h, func(t *testing.T) {
					t.Parallel()
					c.workload(t, k, h, isolatedSpec)
				})
			}
		}
	})
	t.Run("samples", func(t *testing.T) {
		for _, h := range handlers {
			t.Run(h, func(t *testing.T) {
				t.Parallel()
				c.sample(t, h)
			})
		}
	})
	c.nothingLeft(t)
	if left, err := os.ReadDir(namespaces); err != nil || len(left) > 0 {
		t.Errorf("%d network namespaces remain, %v", len(left), err)
	}
	calls, err := os.ReadFile(log)
	made, closed := strings.Count(string(calls), "HcsCreateComputeSystem"), strings.Count(string(calls), "HcsCloseComputeSystem")
	if err != nil || made < len(handlers)*3 || closed < made {
		t.Errorf("%d systems were made and %d closed, %v", made, closed, err)
	}
	t.Log("\n" + c.table.String())
}

// sample applies the sample with a handler. It accepts the node by the label of its build. Wine has neither of its programs:
// the payload takes their places.
func (c *suite) sample(t *testing.T, handler string) {
	text, err := os.ReadFile(filepath.Join(c.Wine.Root(), "deploy", "kubernetes", "samples", "process-isolated.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	sample := string(text)
	const program = "['" + workload.Payload + "', sleep, '86400']"
	for old, fresh := range map[string]string{
		"runtimeClassName: silo\n":  "runtimeClassName: " + handler + "\n",
		"[ping.exe, -t, 127.0.0.1]": program, "[w32tm.exe, /stripchart, '/computer:localhost']": program,
	} {
		if strings.Count(sample, old) != 1 {
			t.Fatalf("the sample has not one %q", old)
		}
		sample = strings.Replace(sample, old, fresh, 1)
	}
	namespace := c.namespace(t)
	if r := c.try(t, sample, "-n", namespace, "apply", "-f", "-"); r.code != 0 {
		t.Fatalf("apply: %s", r.stderr)
	}
	pods := c.pods(t, namespace, 1, "ready", ready)
	if n := len(pods[0].Status.ContainerStatuses); n != 2 {
		t.Errorf("%d containers run, want 2", n)
	}
	c.kubectl(t, "-n", namespace, "delete", "pod", "silo-process-isolated")
	if err := c.removed(t, &pods[0]); err != nil {
		t.Error(err)
	}
}
