package siloshim

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/siloshim/siloshim"

// mayImport says which packages of this module each of its packages may import. The arrows all point the same way:
// cmd -> shim -> container -> jobobject, hcs and stats, and cmd/silo beside the shim. A package that is not in the table fails the
// test, so a new one is placed before it is used.
var mayImport = map[string][]string{
	"cmd/containerd-shim-silo-v1": {"container/engine", "shim/bootstrap", "shim/event", "shim/pod", "shim/service", "internal/logfield", "internal/trace", "net/http", "net/rpc", "crypto/tls", "google.golang.org/grpc", "go.opencensus.io/"},
	"cmd/silo":                    {"cmd/silo/command", "/shim", "/shim/", "github.com/containerd/ttrpc", "github.com/containerd/containerd/", "google.golang.org/grpc"},
	"cmd/silo/command":            {"cmd/silo/damon", "cmd/silo/dashboard", "cmd/silo/install", "cmd/silo/limit", "cmd/silo/node", "cmd/silo/selftest", "cmd/silo/supervisor", "cmd/silo/token", "cmd/silo/wcow", "container", "container/engine", "container/hostprocess", "container/layer", "container/network", "container/plan", "container/podinfo", "container/resource", "hcs", "jobobject", "schema", "stats", "stats/prom", "internal/buildinfo", "internal/logfile", "internal/pipe", "internal/redact", "internal/size", "internal/sleep", "internal/textfile", "internal/readlimit", "internal/ownership"},
	"cmd/silo/damon":              {"cmd/silo/supervisor", "jobobject", "internal/logfile"},
	"cmd/silo/dashboard":          {"stats", "internal/size"},
	"cmd/silo/install":            {"deploy/containerd", "internal/readlimit", "internal/sleep", "internal/textfile"},
	"cmd/silo/limit":              {"internal/size", "jobobject"},
	"cmd/silo/node":               {"container/podinfo", "internal/pipe", "internal/winsys", "jobobject", "stats", "internal/readlimit", "internal/ownership"},
	"cmd/silo/selftest":           {"cmd/silo/limit", "cmd/silo/node", "cmd/silo/token", "hcs", "jobobject", "internal/pipe"},
	"cmd/silo/supervisor":         {"container", "container/plan", "internal/logfile"},
	"cmd/silo/token":              {},
	"cmd/silo/wcow":               {"container/resource", "jobobject", "schema", "internal/textfile"},

	"shim/pod":       {"container", "container/plan", "shim/task", "stats", "stats/runhcs", "internal/logfield", "internal/readlimit"},
	"shim/service":   {"container", "container/engine", "container/plan", "shim/bootstrap", "shim/event", "shim/pod", "shim/stdio", "shim/task", "stats/runhcs", "internal/deadline", "internal/logfield", "internal/trace"},
	"shim/bootstrap": {"container", "container/plan", "internal/buildinfo", "internal/fault", "internal/logfield", "internal/pipe", "internal/sleep", "internal/textfile", "internal/readlimit"},
	"shim/event":     {"internal/logfield", "internal/pipe", "internal/sleep", "internal/subprocess"},
	"shim/stdio":     {"internal/fault", "internal/logfield", "internal/logfile", "internal/pipe", "internal/size", "internal/sleep", "internal/subprocess"},
	"shim/task":      {"container", "container/plan", "internal/deadline", "golang.org/x/sys", "github.com/Microsoft/"},

	"container":               {"container/plan", "container/podinfo", "container/resource", "jobobject", "stats", "internal/logfield"},
	"container/podinfo":       {"jobobject", "internal/pipe"},
	"container/plan":          {"container/podinfo", "jobobject", "schema", "internal/commandline", "internal/textfile", "internal/readlimit"},
	"container/resource":      {"internal/fault", "internal/readlimit"},
	"container/errclass":      {"container/plan", "container/resource", "hcs", "jobobject", "stats"},
	"container/layer":         {"container/plan", "container/resource", "schema", "internal/winsys"},
	"container/network":       {"container/resource", "schema", "internal/winsys"},
	"container/hostprocess":   {"container", "container/errclass", "container/layer", "container/plan", "container/podinfo", "container/resource", "jobobject", "stats", "internal/deadline", "internal/logfield", "internal/pipe", "internal/winsys", "internal/ownership"},
	"container/wcow":          {"container", "container/errclass", "container/layer", "container/network", "container/plan", "container/podinfo", "container/resource", "hcs", "jobobject", "schema", "stats", "internal/deadline", "internal/logfield"},
	"container/engine":        {"container", "container/errclass", "container/hostprocess", "container/layer", "container/network", "container/plan", "container/podinfo", "container/resource", "container/wcow", "hcs", "jobobject"},
	"container/containertest": {"container/hostprocess", "container/layer", "container/network", "container/plan", "container/podinfo", "schema", "internal/ownership"},

	"schema":      {},
	"hcs":         {"schema", "internal/handle", "internal/inbox", "internal/seal", "internal/winsys", "golang.org/x/sys/windows"},
	"hcs/hcstest": {"hcs", "jobobject", "schema", "internal/seal"},

	"jobobject":         {"internal/commandline", "internal/handle", "internal/inbox", "internal/seal", "internal/winsys", "golang.org/x/sys/windows"},
	"jobobject/jobtest": {"jobobject", "internal/seal", "golang.org/x/sys/windows"},
	"stats":             {"jobobject", "schema", "golang.org/x/sys", "github.com/Microsoft/", "google.golang.org/protobuf/", "github.com/containerd/"},
	"stats/prom":        {"jobobject", "stats"},
	"stats/runhcs":      {"stats"},

	"deploy/containerd": {},

	"internal/buildinfo":   {},
	"internal/commandline": {},
	"internal/deadline":    {},
	"internal/fault":       {},
	"internal/handle":      {},
	"internal/inbox":       {},
	"internal/logfield":    {},
	"internal/logfile":     {},
	"internal/ownership":   {"internal/pipe"},
	"internal/pipe":        {},
	"internal/readlimit":   {},
	"internal/redact":      {},
	"internal/seal":        {},
	"internal/size":        {},
	"internal/sleep":       {},
	"internal/subprocess":  {},
	"internal/textfile":    {"internal/readlimit"},
	"internal/trace":       {"internal/logfield"},
	"internal/winsys":      {},
}

// onlyThirdParty bounds what a package may import beside this module and the standard library.
var onlyThirdParty = map[string][]string{}

// refused are imports that a package must not have, by prefix.
var refused = map[string][]string{}

// unlinked has what a package must not link, itself or through others: a package, or with a slash at the end all below
// a path. The shim has no network server, no TLS, no gRPC and no tracing library. A program that only samples needs neither hcsshim nor protobuf.
// Silo needs nothing of the shim, and no client or server of containerd.
var unlinked = map[string][]string{}

func TestImports(t *testing.T) {
	for _, goos := range []string{"linux", "windows"} {
		t.Run(goos, func(t *testing.T) {
			for _, line := range list(t, goos, "-f", "{{.ImportPath}} {{join .Imports \" \"}}", "./...") {
				fields := strings.Fields(line)
				checkPackage(t, fields[0], fields[1:])
			}
		})
	}
}

func TestLinks_Package_HasNoneOfUnlinked(t *testing.T) {
	for name, paths := range unlinked {
		for _, p := range list(t, "windows", "-deps", "./"+name) {
			for _, path := range paths {
				if p == path || strings.HasSuffix(path, "/") && strings.HasPrefix(p, path) {
					t.Errorf("%s links %s", name, p)
				}
			}
		}
	}
}

func checkPackage(t *testing.T, path string, imports []string) {
	name := strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
	test := strings.HasPrefix(name, "test/")
	allowed, known := mayImport[name]
	if !known && !test && name != "" {
		t.Errorf("%s is not in the table of imports_test.go", name)
		return
	}
	for _, i := range imports {
		own, ours := strings.CutPrefix(i, module+"/")
		switch {
		case ours && strings.HasPrefix(own, "test/"):
			if !test {
				t.Errorf("%s imports %s: the product imports no test package", name, own)
			}
		case ours:
			if !test && !slices.Contains(allowed, own) {
				t.Errorf("%s imports %s", name, own)
			}
		default:
			checkForeign(t, name, i)
		}
	}
}

func checkForeign(t *testing.T, name, path string) {
	if only, ok := onlyThirdParty[name]; ok && thirdParty(path) && !slices.Contains(only, path) {
		t.Errorf("%s imports %s", name, path)
	}
	for _, prefix := range refused[name] {
		if strings.HasPrefix(path, prefix) {
			t.Errorf("%s imports %s", name, path)
		}
	}
}

// thirdParty: the first element of a standard package's path has no dot.
func thirdParty(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return strings.Contains(first, ".")
}

// list runs go list for an operating system, built as the shim is; for amd64, unless the environment has GOARCH.
func list(t *testing.T, goos string, args ...string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-tags", "no_grpc"}, args...)...)
	cmd.Env = append(append([]string{"GOARCH=amd64"}, os.Environ()...), "GOOS="+goos, "CGO_ENABLED=0")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}
