package plan

import (
	"errors"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func TestWCOW_UnsupportedField_IsRefused(t *testing.T) {
	invalid, missing, not := errdefs.ErrInvalidArgument, errdefs.ErrNotFound, errdefs.ErrNotImplemented
	tests := []struct {
		name   string
		change func(*specs.Spec)
		class  error
		want   string
	}{
		{"job", annotate("microsoft.com/hostprocess-container", "true"), invalid, "job container"},
		{"hyper-v", func(s *specs.Spec) { s.Windows.HyperV = &specs.WindowsHyperV{} }, not, "windows.hyperv"},
		{"no layers", func(s *specs.Spec) { s.Windows.LayerFolders = nil }, invalid, "windows.layerFolders"},
		{"one layer", func(s *specs.Spec) { s.Windows.LayerFolders = []string{`C:\a`} }, invalid, "1 entries"},
		{"a relative layer", func(s *specs.Spec) { s.Windows.LayerFolders[0] = "a" }, invalid, `layer "a"`},
		{"a root that is no volume", func(s *specs.Spec) { s.Root = &specs.Root{Path: `C:\x`} }, invalid, "root.path"},
		{"a read-only root", func(s *specs.Spec) { s.Root = &specs.Root{Readonly: true} }, invalid, "root.readonly"},
		{"a long host name", func(s *specs.Spec) { s.Hostname = strings.Repeat("a", 64) }, invalid, "hostname"},
		{"count and maximum", cpu(specs.WindowsCPUResources{Count: p(uint64(1)), Maximum: p(uint16(1))}), invalid, "exclude each other"},
		{"annotation and field", func(s *specs.Spec) {
			cpu(specs.WindowsCPUResources{Maximum: p(uint16(1))})(s)
			annotate("io.microsoft.container.processor.count", "1")(s)
		}, invalid, "exclude each other"},
		{"shares out of range", cpu(specs.WindowsCPUResources{Shares: p(uint16(10001))}), invalid, "cpu.shares 10001"},
		{"an empty mask", cpu(specs.WindowsCPUResources{Affinity: []specs.WindowsCPUGroupAffinity{{}}}), invalid, "affinity[0].mask"},
		{"memory no number", annotate("io.microsoft.container.memory.sizeinmb", "-1"), invalid, "sizeinmb"},
		{"memory with which it hangs", memoryLimit(8<<20 - 1), invalid, "windows.resources.memory.limit 8388607: use at least 8388608"},
		{"as few megabytes", annotate("io.microsoft.container.memory.sizeinmb", "7"), invalid, "sizeinmb 7: use at least 8:"},
		{"memory too large", annotate("io.microsoft.container.memory.sizeinmb", "18446744073709551615"), invalid, "sizeinmb"},
		{"bandwidth beyond 32 bits", storage(specs.WindowsStorageResources{Bps: p(uint64(1) << 32)}), invalid, "storage.bps 4294967296"},
		{"namespace and endpoints", network(specs.WindowsNetwork{NetworkNamespace: "a", EndpointList: []string{"b"}}), invalid, "networkNamespace and"},
		{"a comma in a domain", network(specs.WindowsNetwork{DNSSearchList: []string{"a,b"}}), invalid, "DNSSearchList[0]"},
		{"credentials of another type", func(s *specs.Spec) { s.Windows.CredentialSpec = 5 }, invalid, "credentialSpec"},
		{"credentials that are no JSON", func(s *specs.Spec) { s.Windows.CredentialSpec = "secret" }, invalid, "credentialSpec: it is not JSON"},
		{"credentials of a UTF-16 file", func(s *specs.Spec) { s.Windows.CredentialSpec = "\uFFFD\uFFFD{\x00}\x00" }, invalid, "credentialSpec: it is UTF-16"},
		{"credentials forbidden", func(s *specs.Spec) {
			s.Windows.CredentialSpec = "{}"
			annotate("io.microsoft.container.wcow.gmsa.disable", "true")(s)
		}, errdefs.ErrPermissionDenied, "gmsa.disable"},
		{"unsafe operations forbidden", func(s *specs.Spec) {
			s.Windows.CredentialSpec = "{}"
			annotate("io.microsoft.disable-unsafe-operations", "true")(s)
		}, errdefs.ErrPermissionDenied, "disable-unsafe-operations"},
		{"a missing source", mount(specs.Mount{Source: `C:\gone`, Destination: `C:\b`}), missing, "mounts[0].source"},
		{"a relative source", mount(specs.Mount{Source: `a`, Destination: `C:\b`}), invalid, "mounts[0].source"},
		{"a relative destination", mount(specs.Mount{Source: `C:\a`, Destination: `b`}), invalid, "mounts[0].destination"},
		{"the system drive", mount(specs.Mount{Source: `C:\a`, Destination: `c:\`}), invalid, "mounts[0].destination is the container's system drive"},
		{"one drive twice", mount(specs.Mount{Source: `C:\a`, Destination: `D:`}, specs.Mount{Source: `C:\b`, Destination: `d:\`}), invalid, "mounts[1]"},
		{"one path twice, with the drive and without", mount(specs.Mount{Source: `C:\a`, Destination: `/b`}, specs.Mount{Source: `C:\b`, Destination: `C:\B`}), invalid, "mounts[1]"},
		{"a pipe on a directory", mount(specs.Mount{Source: `\\.\pipe\a`, Destination: `C:\b`}), invalid, "mounts[0]"},
		{"a read-only pipe", mount(specs.Mount{Source: `\\.\pipe\a`, Destination: `\\.\pipe\a`, Options: []string{"ro"}}), invalid, "read-only"},
		{"ro and rw in other cases", mount(specs.Mount{Source: `C:\a`, Destination: `C:\b`, Options: []string{"Ro", "RW"}}), invalid, "ro and rw"},
		{"ro and rw", mount(specs.Mount{Source: `C:\a`, Destination: `C:\b`, Options: []string{"ro", "rw"}}), invalid, "ro and rw"},
		{"one target twice", mount(specs.Mount{Source: `C:\a`, Destination: `C:\b`}, specs.Mount{Source: `C:\c`, Destination: `c:/B/`}), invalid, "mounts[1]"},
		{"a mount of a sandbox", mount(specs.Mount{Source: `sandbox:///a`, Destination: `C:\b`}), not, "sandbox://"},
		{"a disk", mount(specs.Mount{Type: "virtual-disk", Source: `C:\a.vhd`, Destination: `C:\b`}), not, "virtual-disk"},
		{"a device of a machine", devices(specs.WindowsDevice{IDType: "gpu", ID: "x"}), not, "gpu"},
		{"a device of no type", devices(specs.WindowsDevice{ID: "x"}), invalid, "idType"},
		{"a device class without GUID", devices(specs.WindowsDevice{IDType: "class", ID: "x"}), invalid, "devices[0].id"},
		{"a missing extension", annotate("io.microsoft.container.wcow.deviceextensions", `C:\none`), missing, "deviceextensions"},
		{"a broken extension", annotate("io.microsoft.container.wcow.deviceextensions", `C:\ext\bad.json`), invalid, "deviceextensions"},
		{"a kind of dump", func(s *specs.Spec) {
			annotate("io.microsoft.container.processdumplocation", `C:\d`)(s)
			annotate("io.microsoft.wcow.processdumptype", "huge")(s)
		}, invalid, "processdumptype"},
		{"no dumps", func(s *specs.Spec) {
			annotate("io.microsoft.container.processdumplocation", `C:\d`)(s)
			annotate("io.microsoft.wcow.processdumpcount", "0")(s)
		}, invalid, "processdumpcount"},
		{"hooks", func(s *specs.Spec) { s.Hooks = &specs.Hooks{} }, not, "hooks"},
		{"no process", func(s *specs.Spec) { s.Process = nil }, invalid, "process is missing"},
		{"no args", process(func(p *specs.Process) { p.Args = nil }), invalid, "process.args"},
		{"a NUL", process(func(p *specs.Process) { p.Args = []string{"a\x00"} }), invalid, "process.args[0]"},
		{"a variable without a value", process(func(p *specs.Process) { p.Env = []string{"secret"} }), invalid, "process.env[0]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := isolated().WCOW("box-1", wcowSpec(tt.change), nil)
			if !errors.Is(err, tt.class) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v; want class %v and %q", err, tt.class, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("error %v repeats a value", err)
			}
		})
	}
}

func TestWCOW_RequestMount_BecomesLayers(t *testing.T) {
	layers := func(kind, source string, options ...string) ([]specs.Mount, *specs.Spec) {
		s := wcowSpec(func(s *specs.Spec) { s.Windows.LayerFolders = nil })
		return []specs.Mount{{Type: kind, Source: source, Options: options}}, s
	}
	tests := []struct {
		name, kind string
		options    []string
		want       Layers
		err        string
	}{
		{"directories", "windows-layer", []string{`parentLayerPaths=["C:\\1","C:\\0"]`, "rw"},
			Layers{Kind: WindowsLayer, Scratch: `C:\s`, Parents: []string{`C:\1`, `C:\0`}}, ""},
		{"forks", "CimFS", []string{`parentLayerPaths=["C:\\1"]`, `parentCimPaths=["C:\\1.cim"]`},
			Layers{Kind: CimFS, Scratch: `C:\s`, Parents: []string{`C:\1`}, Cims: []string{`C:\1.cim`}}, ""},
		{"devices", "BlockCIM", []string{`parentCimPaths=["\\\\.\\d\\1"]`, "blockCIMType=device"},
			Layers{Kind: BlockCIM, Scratch: `C:\s`, Cims: []string{`\\.\d\1`}, Device: true}, ""},
		{"no parents", "windows-layer", nil, Layers{}, "parentLayerPaths names no layer"},
		{"parents that are no list", "windows-layer", []string{"parentLayerPaths=x"}, Layers{}, "parentLayerPaths"},
		{"read-only", "windows-layer", []string{`parentLayerPaths=["C:\\1"]`, "ro"}, Layers{}, "writable"},
		{"forks without images", "CimFS", []string{`parentLayerPaths=["C:\\1"]`}, Layers{}, "belong together"},
		{"images of no type", "BlockCIM", []string{`parentCimPaths=["C:\\1"]`}, Layers{}, "blockCIMType"},
		{"images that are not merged", "BlockCIM", []string{`parentCimPaths=["C:\\1","C:\\0"]`, "blockCIMType=file"}, Layers{}, "mergedCIMPath"},
		{"another kind", "lcow-layer", nil, Layers{}, "lcow-layer"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			mounts, s := layers(tt.kind, `C:\s`, tt.options...)
			v, err := isolated().WCOW("c", s, mounts)
			switch {
			case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
				t.Errorf("error %v, want %q", err, tt.err)
			case tt.err == "" && err != nil:
				t.Error(err)
			case tt.err == "":
				if diff := cmp.Diff(tt.want, v.Layers); diff != "" {
					t.Errorf("layers (-want +got):\n%s", diff)
				}
			}
		})
	}
	mounts, _ := layers("windows-layer", `C:\s`, `parentLayerPaths=["C:\\1"]`)
	if _, err := isolated().WCOW("c", wcowSpec(), mounts); !errors.Is(err, errdefs.ErrInvalidArgument) {
		t.Errorf("layers from two sides: %v, want an invalid argument", err)
	}
}
