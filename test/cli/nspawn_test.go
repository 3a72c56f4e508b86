package cli

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/schema"
	"github.com/siloshim/siloshim/test/workload"
)

// hcs is a machine with the emulated Host Compute Service (HCS) of test/hcsim.
type hcs struct {
	*silo
	env        []string
	layer      string // a read-only base layer, a Unix path
	log        string // of the service
	namespaces string // a directory with a file for each network namespace
}

func newHCS(t *testing.T) *hcs {
	t.Helper()
	s := newSilo(t)
	dlls := t.TempDir()
	const compiler = "x86_64-w64-mingw32-gcc"
	plain := "-O1 -shared -s -nostdlib -ffreestanding -fno-stack-protector -mno-stack-arg-probe -Wl,--entry=DllMain"
	for name, line := range map[string]string{
		"computecore.dll":    "go build -tags no_grpc -trimpath -buildmode=c-shared -ldflags -s",
		"vmcompute.dll":      compiler + " " + plain + " dll/storage.c -lkernel32",
		"computenetwork.dll": compiler + " " + plain + " dll/network.c -lkernel32",
	} {
		words := append(strings.Fields(line), "-o", filepath.Join(dlls, name))
		cmd := exec.CommandContext(t.Context(), words[0], words[1:]...)
		cmd.Dir = filepath.Join(s.wine.Root(), "test", "hcsim")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=1", "CC="+compiler, "GOOS=windows", "GOARCH=amd64")
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", name, err, text)
		}
	}
	h := &hcs{silo: s, layer: t.TempDir(), log: filepath.Join(t.TempDir(), "hcsim.log"), namespaces: t.TempDir()}
	h.env = []string{
		"WINEGAP_DLLS=" + s.wine.WindowsPath(dlls) + `\`, "HCSIM_LOG=" + s.wine.WindowsPath(h.log),
		"HCSIM_NAMESPACES=" + s.wine.WindowsPath(h.namespaces) + `\`,
	}
	if err := os.WriteFile(filepath.Join(h.layer, "layerchain.json"), []byte("null"), 0o644); err != nil {
		t.Fatal(err)
	}
	return h
}

// nothingLeft fails the test if a layer, a resource record or a container record remains in the state directory.
func (h *hcs) nothingLeft(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir(h.state, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			t.Errorf("%s remains", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// nspawn writes a configuration with all twelve keys and runs it.
func (h *hcs) nspawn(t *testing.T, work string, args ...string) result {
	t.Helper()
	text, err := json.Marshal(schema.NspawnConfig{
		ProcessDirectory: h.wine.WindowsPath(work), ProcessExecutable: "payload.exe", ProcessArguments: args,
		MaxRAMMB: 512, CPUsCount: 1, CPUAffinity: 1, MaxCPUPercent: 25, MaxStorageIOPS: 1024, MaxStorageBPS: 10 << 20,
		// The emulated service maps no directories, so the path of the program is that on the host.
		MappedDirectory: `C:/silo/bin`, StdoutFilename: "nspawn_out.txt", ParentLayerDirectory: h.wine.WindowsPath(h.layer),
	})
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(config, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return h.try(t, h.exe, h.env, "nspawn", "-c", h.wine.WindowsPath(config))
}

func TestNspawn_AllKeys_AreApplied(t *testing.T) {
	h := newHCS(t)
	work := t.TempDir()
	r := h.nspawn(t, work, "say", "7", "two words")
	if r.code != 7 || strings.TrimSpace(r.stdout) != "two words" {
		t.Errorf("%+v, want the program's output and exit code 7", r)
	}
	out, err := os.ReadFile(filepath.Join(work, "nspawn_out.txt"))
	if err != nil || strings.TrimSpace(string(out)) != "two words" {
		t.Errorf("stdout_filename has %q, %v", out, err)
	}
	log, err := os.ReadFile(h.log)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"SizeInMB":512`, `"Maximum":2500`, `"IopsMaximum":1024`, `"BandwidthMaximum":10485760`, `"ContainerPath":"C:\\silo\\bin"`} {
		if !strings.Contains(string(log), want) {
			t.Errorf("the service did not get %s:\n%s", want, log)
		}
	}
	h.nothingLeft(t)
	if err := os.Remove(filepath.Join(h.layer, "layerchain.json")); err != nil {
		t.Fatal(err)
	}
	if r := h.nspawn(t, work, "exit", "0"); r.code != 125 || !strings.Contains(r.stderr, "layerchain.json") {
		t.Errorf("without the list of layers: %+v, want 125", r)
	}
	h.nothingLeft(t)
}

func TestRunServer_EnvAndExitCodes_AsDocumented(t *testing.T) {
	h := newHCS(t)
	args := []string{"run", "--server", "--layer", h.wine.WindowsPath(h.layer), "--memory", "256m", "--cpu-percent", "50"}
	r := h.try(t, h.exe, h.env, append(args, "--env", "MODE=fast", "--", workload.Payload, "env")...)
	var env map[string]string
	if err := json.Unmarshal([]byte(r.stdout), &env); err != nil || r.code != 0 || env["MODE"] != "fast" {
		t.Errorf("%v %+v", err, r)
	}
	if r := h.try(t, h.exe, h.env, append(args, "--timeout", "3s", "--stop-grace", "200ms", "--", workload.Payload, "sleep", "600")...); r.code != 124 {
		t.Errorf("%+v, want 124", r)
	}
	if r := h.try(t, h.exe, h.env, append(args, "--", `C:\no\such.exe`)...); r.code != 127 {
		t.Errorf("%+v, want 127", r)
	}
	h.nothingLeft(t)
}

// The service gets the directory and the namespace. A namespace that was made for the container is removed with it.
func TestRunServer_MountAndNetwork_AddedAndRemoved(t *testing.T) {
	h := newHCS(t)
	const guid = "6bf84ac7-5bd1-4b5e-9a8e-2f3c1f0c7a11"
	data := t.TempDir()
	args := []string{"run", "--server", "--layer", h.wine.WindowsPath(h.layer), "--mount", "source=" + h.wine.WindowsPath(data) + `,target=C:\data,readonly`}
	program := []string{"--", workload.Payload, "say", "0", "here"}
	for network, want := range map[string]string{"endpoint=" + guid: `"Namespace":"`, "namespace=" + guid: `"Namespace":"` + guid + `"`} {
		r := h.try(t, h.exe, h.env, append(append(args, "--network", network), program...)...)
		if r.code != 0 || strings.TrimSpace(r.stdout) != "here" {
			t.Fatalf("%s: %+v", network, r)
		}
		log, err := os.ReadFile(h.log)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{want, `"ContainerPath":"C:\\data","ReadOnly":true`} {
			if !strings.Contains(string(log), want) {
				t.Errorf("%s: the service did not get %s:\n%s", network, want, log)
			}
		}
		if err := os.Remove(h.log); err != nil {
			t.Fatal(err)
		}
	}
	if left, err := os.ReadDir(h.namespaces); err != nil || len(left) != 0 {
		t.Errorf("%d network namespaces remain, %v", len(left), err)
	}
	h.nothingLeft(t)
	if r := h.try(t, h.exe, h.env, append(append(args, "--mount", `source=Z:\no\such,target=C:\x`), program...)...); r.code != 125 || r.stdout != "" {
		t.Errorf("a missing source: %+v, want 125", r)
	}
	h.nothingLeft(t)
}

// cleanup finds the resources of a killed silo and releases them.
func TestRunServer_SiloKilled_CleanupReleasesAll(t *testing.T) {
	h := newHCS(t)
	name := fmt.Sprintf("cli-server-%d", os.Getpid())
	r := h.try(t, h.exe, h.env, "run", "--server", "--detach", "--name", name, "--layer", h.wine.WindowsPath(h.layer), "--", workload.Payload, "sleep", "600")
	if r.code != 0 {
		t.Fatalf("%+v", r)
	}
	text, err := os.ReadFile(filepath.Join(h.state, name, "container.json"))
	var record struct {
		Supervisor uint32 `json:"supervisor_pid"`
	}
	if err == nil {
		err = json.Unmarshal(text, &record)
	}
	if err != nil {
		t.Fatal(err)
	}
	if r := h.try(t, workload.Payload, nil, "kill", fmt.Sprint(record.Supervisor)); r.code != 0 {
		t.Fatalf("kill the supervisor: %+v", r)
	}
	until(t, "cleanup finds the layers", func() bool {
		return strings.Contains(h.try(t, h.exe, h.env, "cleanup").stdout, "silo/"+name)
	})
	if r := h.try(t, h.exe, h.env, "cleanup", "--yes"); r.code != 0 {
		t.Errorf("cleanup: %+v", r)
	}
	h.nothingLeft(t)
}
