package wcow_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/cmd/silo/wcow"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/schema"
)

func TestChain(t *testing.T) {
	for text, want := range map[string][]string{
		`["C:\\one","C:\\base"]`:  {`C:\one`, `C:\base`},
		"\uFEFF" + `["C:\\base"]`: {`C:\base`},
		"\xFF\xFE[\x00]\x00":      nil,
		"\xFF\xFE[":               {"an error"},
		`null`:                    nil,
		`[]`:                      nil,
		`{}`:                      {"an error"},
		``:                        {"an error"},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "layerchain.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := wcow.Chain(dir)
		switch {
		case err != nil && !cmp.Equal(want, []string{"an error"}):
			t.Errorf("%s: %v", text, err)
		case err == nil && !cmp.Equal(append([]string{dir}, want...), got):
			t.Errorf("%s: %q", text, got)
		}
	}
	if got, err := wcow.Chain(t.TempDir()); err == nil {
		t.Errorf("without the list: %q", got)
	}
}

func TestNspawnOutput(t *testing.T) {
	for name, want := range map[string]string{
		"out.txt": `C:\work\out.txt`, `logs\out.txt`: `C:\work\logs\out.txt`, "": "", "a..b": `C:\work\a..b`,
		`..\out.txt`: "an error", `logs\..\..\out.txt`: "an error", `D:\out.txt`: "an error", `\out.txt`: "an error", "out.txt:stream": "an error",
	} {
		got, err := wcow.NspawnOutput(&schema.NspawnConfig{ProcessDirectory: `C:\work\`, StdoutFilename: name})
		if err != nil {
			got = "an error"
		}
		if got != want {
			t.Errorf("%q leads to %s, want %s", name, got, want)
		}
	}
}

// TestNspawnProcessors: each combination of the three keys plans, and the document has one limit at most.
func TestNspawnProcessors(t *testing.T) {
	base := schema.NspawnConfig{ProcessDirectory: t.TempDir(), ProcessExecutable: "a.exe", MappedDirectory: `C:\in\`}
	for _, c := range []struct {
		count, percent, mask uint16
		want                 schema.Processor
		dropped              int
	}{
		{},
		{count: 2, want: schema.Processor{Count: 2}},
		{percent: 25, want: schema.Processor{Maximum: 2500}},
		{count: 2, percent: 100, mask: 3, want: schema.Processor{Maximum: 10000}, dropped: 1},
	} {
		n := base
		n.CPUsCount, n.MaxCPUPercent, n.CPUAffinity = c.count, c.percent, c.mask
		s, dropped := wcow.Nspawn(&n, []string{`C:\layer`, `C:\scratch`})
		s.Mounts[0].Source = `C:\work` // absolute on any system
		resolve := func(path string) (string, error) { return path, nil }
		planned, err := plan.Machine{Processors: 8, Resolve: resolve}.WCOW("c", s, nil)
		if err != nil {
			t.Errorf("%+v: %v", c, err)
			continue
		}
		var got schema.Processor
		if p := planned.Document.Container.Processor; p != nil {
			got = *p
		}
		if !cmp.Equal(c.want, got) || len(dropped) != c.dropped || (len(planned.Affinity) == 1) != (c.mask > 0) {
			t.Errorf("%+v: %+v, affinity %v, dropped %q", c, got, planned.Affinity, dropped)
		}
		if planned.Process.CommandLine != `C:\in\a.exe` {
			t.Errorf("command line %s", planned.Process.CommandLine)
		}
	}
	n := base
	n.MaxCPUPercent = 101
	s, _ := wcow.Nspawn(&n, []string{`C:\layer`, `C:\scratch`})
	if _, err := (plan.Machine{Processors: 8}).WCOW("c", s, nil); err == nil {
		t.Error("101 percent is taken")
	}
}

// TestResources_CPUWeight_IsScaled: the weights of a job are spread over those of a compute system; the limits that it
// cannot have are left.
func TestResources_CPUWeight_IsScaled(t *testing.T) {
	for weight, want := range map[uint32]int64{1: 1, 2: 1250, 5: 5000, 9: 10000} {
		r, rest := wcow.Resources(jobobject.Limits{KillOnClose: true, JobMemory: 64 << 20, CPUWeight: weight, ActiveProcesses: 3})
		if !cmp.Equal(jobobject.Limits{ActiveProcesses: 3}, rest) {
			t.Errorf("rest %+v", rest)
		}
		s := &specs.Spec{
			Process: &specs.Process{Args: []string{`C:\app.exe`}, Cwd: `C:\`},
			Windows: &specs.Windows{Resources: r, LayerFolders: []string{`C:\layer`, `C:\scratch`}},
		}
		resolve := func(path string) (string, error) { return path, nil }
		planned, err := plan.Machine{Processors: 8, Resolve: resolve}.WCOW("c", s, nil)
		if err != nil {
			t.Fatal(err)
		}
		if c := planned.Document.Container; c.Processor.Weight != want || c.Memory.SizeInMB != 64 {
			t.Errorf("weight %d: %+v and %+v, want weight %d and 64 MB", weight, c.Processor, c.Memory, want)
		}
	}
}

// FuzzNspawn: a configuration is refused, or gives a specification that can be planned or is refused, and output below its
// directory.
func FuzzNspawn(f *testing.F) {
	for _, path := range []string{"../../../schema/testdata/nspawn-config.json", "../command/testdata/nspawn.json", "../command/testdata/nspawn-outside.json", "../command/testdata/unknown-nspawn.json"} {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	m := plan.Machine{Processors: 4, Build: 20348, Resolve: func(path string) (string, error) { return path, nil }, Lookup: func(string) bool { return true }}
	f.Fuzz(func(t *testing.T, text []byte) {
		n, err := schema.ParseNspawnConfig(text)
		if err != nil {
			return
		}
		if strings.Contains(n.ProcessDirectory+n.ProcessExecutable+n.MappedDirectory+n.StdoutFilename+n.ParentLayerDirectory, "/") {
			t.Errorf("a slash is left in %+v", n)
		}
		path, err := wcow.NspawnOutput(n)
		if inside := strings.TrimRight(n.ProcessDirectory, `\`) + `\`; err == nil && path != "" &&
			(!strings.HasPrefix(path, inside) || slices.Contains(strings.Split(path[len(inside):], `\`), "..")) {
			t.Errorf("the output is in %s, want below %s", path, inside)
		}
		s, _ := wcow.Nspawn(n, []string{`C:\base`, `C:\scratch`})
		v, err := m.WCOW("c", s, nil)
		if err == nil && v.Process.CommandLine == "" {
			t.Errorf("an incomplete plan of %+v", n)
		}
	})
}

// FuzzChain: the list of a layer's parents is refused, or follows the layer.
func FuzzChain(f *testing.F) {
	for _, seed := range []string{`["C:\\one","C:\\base"]`, "\uFEFF[]", "null", "\xFF\xFE[\x00]\x00", `{}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "layerchain.json"), text, 0o600); err != nil {
			t.Fatal(err)
		}
		if list, err := wcow.Chain(dir); err == nil && (len(list) == 0 || list[0] != dir) || err != nil && list != nil {
			t.Errorf("%q: %q, %v", text, list, err)
		}
	})
}
