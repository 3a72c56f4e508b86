package siloshim

import (
	"flag"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the goldens")

// executables are the released programs.
var executables = []string{"cmd/containerd-shim-silo-v1", "cmd/silo"}

// dependenciesFile lists the modules in each executable. A new one is a decision, which its change shows.
const dependenciesFile = "testdata/dependencies.golden"

func TestDependencies_LinkedModules_AreTheListedOnes(t *testing.T) {
	var all strings.Builder
	for _, exe := range executables {
		modules := linkedModules(t, exe, "amd64")
		if diff := cmp.Diff(modules, linkedModules(t, exe, "arm64")); diff != "" {
			t.Errorf("%s: modules for amd64 and arm64 differ (-amd64 +arm64):\n%s", exe, diff)
		}
		fmt.Fprintf(&all, "%s\n", path.Base(exe))
		for _, m := range modules {
			fmt.Fprintf(&all, "\t%s\n", m)
		}
	}
	if *update {
		if err := os.WriteFile(dependenciesFile, []byte(all.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(dependenciesFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), all.String()); diff != "" {
		t.Errorf("%s (-want +got), -update writes it:\n%s", dependenciesFile, diff)
	}
}

// linkedModules returns path and version of each module that a package links, without this module.
func linkedModules(t *testing.T, pkg, arch string) []string {
	t.Helper()
	t.Setenv("GOARCH", arch)
	const format = `{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}{{with .Replace}} => {{.Path}} {{.Version}}{{end}}{{end}}{{end}}`
	modules := list(t, "windows", "-deps", "-f", format, "./"+pkg)
	slices.Sort(modules)
	return slices.DeleteFunc(slices.Compact(modules), func(m string) bool { return m == "" })
}
