package server_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/cmd/silo/server"
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
		got, err := server.Chain(dir)
		switch {
		case err != nil && !cmp.Equal(want, []string{"an error"}):
			t.Errorf("%s: %v", text, err)
		case err == nil && !cmp.Equal(append([]string{dir}, want...), got):
			t.Errorf("%s: %q", text, got)
		}
	}
	if got, err := server.Chain(t.TempDir()); err == nil {
		t.Errorf("without the list: %q", got)
	}
}

func TestNspawnOutput(t *testing.T) {
	for name, want := range map[string]string{
		"out.txt": `C:\work\out.txt`, `logs\out.txt`: `C:\work\logs\out.txt`, "": "", "a..b": `C:\work\a..b`,
		`..\out.txt`: "an error", `logs\..\..\out.txt`: "an error", `D:\out.txt`: "an error", `\out.txt`: "an error", "out.txt:stream": "an error",
	} {
		got, err := server.NspawnOutput(&schema.NspawnConfig{ProcessDirectory: `C:\work\`, StdoutFilename: name})
		if err != nil {
			got = "an error"
		}
		if got != want {
			t.Errorf("%q leads to %s, want %s", name, got, want)
		}
	}
}

// TestNspawnProcessors: each combination of the three keys plans, and the service is told of one limit at most.
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
		s, dropped := server.Nspawn(&n, []string{`C:\layer`, `C:\scratch`})
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
	s, _ := server.Nspawn(&n, []string{`C:\layer`, `C:\scratch`})
	if _, err := (plan.Machine{Processors: 8}).WCOW("c", s, nil); err == nil {
		t.Error("101 percent is taken")
	}
}

// TestResources: what a container can have is the same after the planner; the rest is told.
func TestResources(t *testing.T) {
	for weight := uint32(1); weight <= 9; weight++ {
		r, rest := server.Resources(jobobject.Limits{KillOnClose: true, JobMemory: 64 << 20, CPUWeight: weight, ActiveProcesses: 3})
		if !cmp.Equal(jobobject.Limits{ActiveProcesses: 3}, rest) {
			t.Errorf("rest %+v", rest)
		}
		s := &specs.Spec{
			Process: &specs.Process{Args: []string{`C:\app.exe`}, Cwd: `C:\`}, Windows: &specs.Windows{Resources: r},
			Annotations: map[string]string{"microsoft.com/hostprocess-container": "true", "microsoft.com/hostprocess-inherit-user": "true"},
		}
		planned, err := plan.Machine{Processors: 8, Root: `C:\Windows`, Lookup: func(string) bool { return true }}.HostProcess("c", s, nil)
		if err != nil || planned.Limits.CPUWeight != weight || planned.Limits.JobMemory != 64<<20 {
			t.Errorf("weight %d: %+v %v", weight, planned, err)
		}
	}
}
