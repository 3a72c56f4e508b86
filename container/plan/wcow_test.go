package plan

import (
	"encoding/json"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/jobobject"
)

var update = flag.Bool("update", false, "write the golden files anew")

// isolated is a machine for Windows Server containers. Every path but one exists, and one is a link.
func isolated() Machine {
	files := map[string]string{
		`C:\ext\a.json`: `{"Extension":"a"}`, `C:\ext\b.json`: `{"Extension":"b"}`, `C:\ext\bad.json`: `{"Extension":`,
	}
	return Machine{
		Processors: 4, Build: 20348,
		Resolve: func(path string) (string, error) {
			switch path {
			case `C:\link`:
				return `D:\target`, nil
			case `C:\gone`:
				return "", fs.ErrNotExist
			}
			return path, nil
		},
		Read: func(path string) ([]byte, error) {
			if text, ok := files[path]; ok {
				return []byte(text), nil
			}
			return nil, fs.ErrNotExist
		},
	}
}

// wcowSpec is the minimal specification of a Windows Server container.
func wcowSpec(change ...func(*specs.Spec)) *specs.Spec {
	s := &specs.Spec{
		Process:     &specs.Process{Args: []string{"app.exe"}, Cwd: `C:\`},
		Windows:     &specs.Windows{LayerFolders: []string{`C:\layers\2`, `C:\layers\1`, `C:\scratch`}},
		Annotations: map[string]string{},
	}
	for _, c := range change {
		c(s)
	}
	return s
}

type changes []func(*specs.Spec)

func mount(m ...specs.Mount) func(*specs.Spec) { return func(s *specs.Spec) { s.Mounts = m } }

func network(n specs.WindowsNetwork) func(*specs.Spec) {
	return func(s *specs.Spec) { s.Windows.Network = &n }
}

func process(change func(*specs.Process)) func(*specs.Spec) {
	return func(s *specs.Spec) { change(s.Process) }
}

func devices(d ...specs.WindowsDevice) func(*specs.Spec) {
	return func(s *specs.Spec) { s.Windows.Devices = d }
}

func storage(st specs.WindowsStorageResources) func(*specs.Spec) {
	return resources(specs.WindowsResources{Storage: &st})
}

func memoryLimit(bytes uint64) func(*specs.Spec) {
	return resources(specs.WindowsResources{Memory: &specs.WindowsMemoryResources{Limit: &bytes}})
}

// goldens are specs whose documents are in testdata/wcow.
var goldens = map[string]changes{
	"minimal":     nil,
	"hostname":    {func(s *specs.Spec) { s.Hostname = "web-1" }},
	"root-empty":  {func(s *specs.Spec) { s.Root = &specs.Root{} }},
	"root-volume": {func(s *specs.Spec) { s.Root = &specs.Root{Path: `\\?\Volume{0e2d6f3a-5a0b-4c58-9d4b-2f1f9d6f5b11}\`} }},

	"cpu-count":              {cpu(specs.WindowsCPUResources{Count: p(uint64(2))})},
	"cpu-count-above-host":   {cpu(specs.WindowsCPUResources{Count: p(uint64(64))})},
	"cpu-count-annotation":   {annotate("io.microsoft.container.processor.count", "3")},
	"cpu-maximum":            {cpu(specs.WindowsCPUResources{Maximum: p(uint16(2500))})},
	"cpu-maximum-annotation": {annotate("io.microsoft.container.processor.limit", "100")},
	"cpu-shares":             {cpu(specs.WindowsCPUResources{Shares: p(uint16(500))})},
	"cpu-shares-annotation":  {annotate("io.microsoft.container.processor.weight", "10000")},
	"cpu-zero":               {cpu(specs.WindowsCPUResources{Shares: p(uint16(0)), Count: p(uint64(0))})},
	"cpu-affinity":           {cpu(specs.WindowsCPUResources{Affinity: []specs.WindowsCPUGroupAffinity{{Mask: 3}, {Mask: 1, Group: 1}}})},
	"memory":                 {memoryLimit(512 << 20)},
	"memory-rounded-up":      {memoryLimit(512<<20 + 1)},
	"memory-small":           {memoryLimit(1), annotate(BestEffort, "true")},
	"memory-least":           {memoryLimit(8 << 20)},
	"cpu-above-whole":        {cpu(specs.WindowsCPUResources{Shares: p(uint16(10001))}), annotate(BestEffort, "true")},
	"memory-annotation":      {annotate("io.microsoft.container.memory.sizeinmb", "1024")},
	"storage-bps":            {storage(specs.WindowsStorageResources{Bps: p(uint64(1 << 20))})},
	"storage-iops":           {storage(specs.WindowsStorageResources{Iops: p(uint64(500))})},
	"storage-annotations": {
		annotate("io.microsoft.container.storage.qos.bandwidthmaximum", "4096"), annotate("io.microsoft.container.storage.qos.iopsmaximum", "10"),
	},
	"storage-size": {storage(specs.WindowsStorageResources{SandboxSize: p(uint64(1 << 34))})},
	"resources-all": {resources(specs.WindowsResources{
		CPU: &specs.WindowsCPUResources{Maximum: p(uint16(5000))}, Memory: &specs.WindowsMemoryResources{Limit: p(uint64(1 << 30))},
		Storage: &specs.WindowsStorageResources{Bps: p(uint64(1)), Iops: p(uint64(2))},
	})},

	"network-namespace":  {network(specs.WindowsNetwork{NetworkNamespace: "c1d3b7e0-0f2f-4ac2-8d2c-0f6fd4b1a001"})},
	"network-endpoints":  {network(specs.WindowsNetwork{EndpointList: []string{"c1d3b7e0-0f2f-4ac2-8d2c-0f6fd4b1a002"}})},
	"network-own-empty":  {network(specs.WindowsNetwork{})},
	"network-dns":        {network(specs.WindowsNetwork{AllowUnqualifiedDNSQuery: true, DNSSearchList: []string{"a.example", "b.example"}})},
	"network-shared":     {network(specs.WindowsNetwork{NetworkSharedContainerName: "other", NetworkNamespace: "c1d3b7e0-0f2f-4ac2-8d2c-0f6fd4b1a003"})},
	"credentials-string": {func(s *specs.Spec) { s.Windows.CredentialSpec = `{"CmsPlugins":[]}` }},
	"credentials-marked": {func(s *specs.Spec) { s.Windows.CredentialSpec = "\uFEFF" + `{"CmsPlugins":[]}` }},
	"credentials-object": {func(s *specs.Spec) { s.Windows.CredentialSpec = map[string]any{"CmsPlugins": []any{"ActiveDirectory"}} }},

	"mount-directory": {mount(specs.Mount{Source: `C:\data`, Destination: `C:\in`})},
	"mount-read-only": {mount(specs.Mount{Source: `C:\data`, Destination: `C:\in`, Options: []string{"rbind", "ro"}})},
	"mount-link":      {mount(specs.Mount{Source: `C:\link`, Destination: `C:\in`})},
	"mount-slashes":   {mount(specs.Mount{Source: `C:/data/x`, Destination: `D:/in/y`})},
	"mount-drive": {mount(
		specs.Mount{Source: `C:\data`, Destination: `D:`}, specs.Mount{Source: `E:\`, Destination: `e:\`}, specs.Mount{Source: `C:\data`, Destination: `F:/`})},
	"mount-trailing": {mount(
		specs.Mount{Source: `C:\data\`, Destination: `C:\in\\`}, specs.Mount{Source: `\\?\D:\`, Destination: `C:\d`},
		specs.Mount{Source: `\\?\Volume{0e2d6f3a-5a0b-4c58-9d4b-2f1f9d6f5b11}\`, Destination: `C:\v`})},
	"mount-no-drive":       {mount(specs.Mount{Source: `C:\data`, Destination: `/in`})},
	"mount-read-only-case": {mount(specs.Mount{Source: `C:\data`, Destination: `C:\in`, Options: []string{"RO"}})},
	"mount-pipe":           {mount(specs.Mount{Source: `\\.\pipe\docker_engine`, Destination: `\\.\pipe\docker_engine`})},
	"mount-pipe-renamed": {mount(
		specs.Mount{Source: `//./PIPE/a`, Destination: `\\.\pipe\b`}, specs.Mount{Source: `C:\data`, Destination: `C:\in`})},

	"device-class":         {devices(specs.WindowsDevice{IDType: "class", ID: "5B45201D-F2F2-4F3B-85BB-30FF1F953599"})},
	"device-class-prefix":  {devices(specs.WindowsDevice{IDType: "class", ID: "class/5B45201D-F2F2-4F3B-85BB-30FF1F953599"})},
	"device-class-guid":    {devices(specs.WindowsDevice{IDType: "vpci-class-guid", ID: "{5B45201D-F2F2-4F3B-85BB-30FF1F953599}"})},
	"device-location-path": {devices(specs.WindowsDevice{IDType: "vpci-location-path", ID: "PCIROOT(0)#PCI(0100)"})},
	"device-extensions":    {annotate("io.microsoft.container.wcow.deviceextensions", `C:\ext\a.json,C:\ext\b.json`)},

	"dumps":          {annotate("io.microsoft.container.processdumplocation", `C:\dumps\{container_id}`)},
	"dumps-capitals": {annotate("io.microsoft.container.processdumplocation", `C:\dumps\{CONTAINER_ID}`)},
	"dumps-middle":   {annotate("io.microsoft.container.processdumplocation", `C:\dumps\{container_id}\x`)},
	"dumps-mini": {
		annotate("io.microsoft.container.processdumplocation", `C:\d`), annotate("io.microsoft.wcow.processdumptype", "mini"),
		annotate("io.microsoft.wcow.processdumpcount", "3"),
	},

	"process-command-line": {process(func(p *specs.Process) { p.CommandLine, p.Args = `cmd /c "a & b"`, []string{"ignored"} })},
	"process-quoted":       {process(func(p *specs.Process) { p.Args = []string{`C:\Program Files\a.exe`, `say "hi"`, ""} })},
	"process-user":         {process(func(p *specs.Process) { p.User.Username, p.Cwd = "ContainerAdministrator", "C:/app/x" })},
	"process-environment":  {process(func(p *specs.Process) { p.Env = []string{"A=1", "EMPTY=", "PATH=x", "Path=y", "B=a=b"} })},
	"process-terminal": {process(func(p *specs.Process) {
		p.Terminal, p.ConsoleSize = true, &specs.Box{Width: 120, Height: 40}
	})},
	"servicing": {func(s *specs.Spec) { s.Windows.Servicing = true }},
	"unsupported-best-effort": {annotate(BestEffort, "true"), func(s *specs.Spec) {
		s.Hooks, s.Domainname, s.Process.NoNewPrivileges = &specs.Hooks{}, "x", true
	}},
}

// The goldens also have the other fields of a plan.
func TestWCOW_Goldens_DocumentAndProcess(t *testing.T) {
	for name, change := range goldens {
		t.Run(name, func(t *testing.T) {
			v, err := isolated().WCOW("box-1", wcowSpec(change...), nil)
			if err != nil {
				t.Fatal(err)
			}
			got, err := json.MarshalIndent(struct {
				Document, Process any
				Layers            Layers
				OwnNamespace      bool                      `json:",omitempty"`
				Endpoints         []string                  `json:",omitempty"`
				CredentialSpec    string                    `json:",omitempty"`
				Affinity          []jobobject.GroupAffinity `json:",omitempty"`
				Warnings          []string                  `json:",omitempty"`
			}{v.Document, v.Process.Parameters(true, true, true), v.Layers, v.OwnNamespace, v.Endpoints, v.CredentialSpec, v.Affinity, v.Warnings}, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join("testdata", "wcow", name+".json"), string(got)+"\n")
		})
	}
	if len(goldens) < 40 {
		t.Errorf("%d golden documents, want 40", len(goldens))
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.ReplaceAll(string(want), "\r\n", "\n"), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// FuzzWCOW: any config.json gives a document or an error, and no panic.
func FuzzWCOW(f *testing.F) {
	f.Add([]byte(`{"process":{"args":["a.exe"],"env":["A=1"]},"windows":{"layerFolders":["C:\\1","C:\\s"],"network":{}}}`))
	f.Add([]byte(`{"process":{"commandLine":"a"},"hostname":"h","mounts":[{"source":"\\\\.\\pipe\\a","destination":"\\\\.\\pipe\\b"}],"windows":{"layerFolders":["C:\\1","C:\\s"],"credentialSpec":{"a":1},"devices":[{"id":"x","idType":"vpci-location-path"}]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := decode(data)
		if err != nil {
			return
		}
		v, err := isolated().WCOW("c", s, nil)
		if err != nil {
			return
		}
		if _, err := json.Marshal(v.Document); err != nil {
			t.Errorf("the document cannot be written: %v", err)
		}
		if v.Process.CommandLine == "" || v.Layers.Scratch == "" || v.Document.Container.Storage == nil {
			t.Errorf("an incomplete plan: %+v", v)
		}
	})
}
