package siloshim

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// made is a kind of object that the product makes.
type made struct {
	site       string // the function that makes it
	object     string
	descriptor string // the constant with the descriptor, or "" where the object inherits or has none
	access     string // who has access where there is no descriptor
	taken      string // what happens if another user has made the name first
}

const (
	isRefused = "refused"
	noName    = "has no name"
	checked   = "the owners of the directory and of the one above it are checked"
	existing  = "opens what exists"
	inherits  = "inherits from "
	bundle    = inherits + "the bundle: containerd makes that for SYSTEM and administrators"
	chosen    = "its directory is the caller's choice"
)

// access has every place where the product makes an object with a security descriptor, or opens one that another process
// may have made.
var access = []made{
	{"internal/pipe.Listen", `pipe of a shim, \\.\pipe\ProtectedPrefix\Administrators\containerd-shim-…`, "internal/pipe.Administrators", "", isRefused + "; users cannot make names with this prefix"},
	{"shim/bootstrap.openLog", `pipe of a shim's log, \\.\pipe\containerd-shim-…-log`, "internal/pipe.Administrators", "", isRefused + ", the shim does not start"},
	{"shim/bootstrap.serveReady", "the pipe of a shim, by internal/pipe.Listen", "internal/pipe.Administrators", "", isRefused},
	{"shim/stdio.listenPipe", "pipe for a logging program, with a random name", "internal/pipe.Administrators", "", isRefused},
	{"shim/stdio.createServer", "pipe of a program's stream, with a random name and one instance", "internal/pipe.Administrators", "", isRefused},
	{"shim/stdio.makePipe", "the program's end of that pipe", "internal/pipe.Administrators", "", existing},
	{"cmd/silo/node.ListenStop", `event Global\silo-stop/NAME`, "internal/pipe.Owner", "", isRefused + ", the container does not start"},
	{"shim/bootstrap.stackdumpEvent", `event Global\stackdump-PID`, "internal/pipe.Administrators", "", "a warning in the log; the shim serves without it"},
	{"shim/bootstrap.watchStackdump", "event that ends a wait", "", "the shim alone", noName},
	{"jobobject.Create", `job Global\silo/NAMESPACE/ID of a container of the shim`, "jobobject.DefaultSecurityDescriptor", "", isRefused},
	{"jobobject.CreateJob", "a job, with the descriptor of its caller", "jobobject.DefaultSecurityDescriptor", "", isRefused},
	{"container/hostprocess.New", "a job, by jobobject.Create", "jobobject.DefaultSecurityDescriptor", "", isRefused},
	{"cmd/silo/command.createJob", `job Global\silo/silo/NAME of silo run`, "internal/pipe.Owner", "", isRefused},
	{"cmd/silo/command.checkJob", "job to check limits", "jobobject.DefaultSecurityDescriptor", "", noName},
	{"cmd/silo/selftest.newJob", "job to check limits", "jobobject.DefaultSecurityDescriptor", "", noName},
	{"cmd/silo/selftest.inDirectory", "directory of a self-test, with a random name", "", inherits + "the user's temporary directory", isRefused},
	{"cmd/silo/selftest.boundBelow", "directories and a file in that directory", "", inherits + "that directory", isRefused},
	{"cmd/silo/command.selftest", "pipe of a self-test, by internal/pipe.Listen", "internal/pipe.Administrators", "", isRefused},
	{"container/podinfo.Publish", `shared memory Global\silo-pod/NAMESPACE/ID with the names of a pod`, "jobobject.DefaultSecurityDescriptor", "", "refused, with a warning in the log; the container runs"},
	{"cmd/silo/selftest.temporary", "file of a self-test", "", inherits + "the user's temporary directory", isRefused},
	{"cmd/silo/command.rehearse", "job to check limits", "jobobject.DefaultSecurityDescriptor", "", noName},
	{"container/hostprocess.Create", "account silo-… in the group that a container names, with a random password", "", "no one knows the password; the logon happens once, and the account is deleted with the container", isRefused},
	{"cmd/silo/command.installService", "service", "", "the default of the service manager: administrators change it, every user may query it with its command line", isRefused},
	{"cmd/silo/command.setServiceEnvironment", "registry key of a service with its environment", "cmd/silo/command.serviceKey", "", "belongs to the service that was just made"},
	{"cmd/silo/command.setUpService", "registry key of an event source", "", inherits + "the key of the event log: administrators change it, every user may read it", existing},
	{"cmd/silo/command.makeServiceDir", `directory %ProgramData%\silo\service\NAME, with an entry for the account of the service`, "cmd/silo/node.PrivateDir", "", checked},
	{"cmd/silo/node.MakeDir", `directory %ProgramData%\silo\run`, "cmd/silo/node.SharedDir", "", checked},
	{"cmd/silo/node.MakeDir", `directory %ProgramData%\silo\run\NAME with record and output`, "cmd/silo/node.PrivateDir", "", "refused, also a link"},
	{"internal/ownership.makeDir", "a directory, with the descriptor of its caller", "cmd/silo/node.PrivateDir", "", checked},
	{"internal/ownership.owned", "a directory whose owner is queried", "", "", existing},
	{"cmd/silo/node.Write", "record of silo run", "", inherits + "its directory", checked},
	{"cmd/silo/node.WriteLaunch", "command line for silo start, by writeOwned", "internal/pipe.Owner", "", checked},
	{"cmd/silo/node.writeOwned", "command line for silo start, encrypted for its user", "internal/pipe.Owner", "", "removed and made again"},
	{"cmd/silo/node.openShared", "a record to read", "", "", existing},
	{"cmd/silo/command.requestStop", "request to stop", "", inherits + "the directory of the container", checked},
	{"cmd/silo/command.openLog", "log of silo run", "", inherits + "its directory", "a link is refused"},
	{"cmd/silo/command.prepare", "log of a service, and the null device", "", inherits + "its directory", "a link is refused"},
	{"cmd/silo/damon.NewLog", "log of silo supervise", "", inherits + "its directory: " + chosen, "a link is refused"},
	{"shim/stdio.open", "directory of a file:// log", "", inherits + "the one above it: " + chosen, existing},
	{"shim/stdio.openLog", "file:// log", "", inherits + "its directory: " + chosen, "a link is refused"},
	{"internal/logfile.add", "index of a log", "", inherits + "its directory", "a link is not followed"},
	{"internal/logfile.open", "a log", "", inherits + "its directory", "a link is refused"},
	{"internal/logfile.openCurrent", "a log and its directory", "", inherits + "the directory above it", "a link is refused"},
	{"cmd/silo/command.writeBundle", "support bundle", "", inherits + "its directory: " + chosen, isRefused},
	{"cmd/silo/install.put", "shim and configuration in the directories of containerd", "", inherits + "the directory of containerd", "moved aside"},
	{"cmd/silo/install.writeThrough", "draft of those files", "", inherits + "the directory of containerd", "removed and made again"},
	{"container/hostprocess.guardedDir", `directory C:\hpc and mount points below it`, "container/hostprocess.guard", "", "refused: the owners are checked"},
	{"container/hostprocess.Mount", "mount point of a root file system", "container/hostprocess.guard", "", isRefused},
	{"container/hostprocess.Keep", "directory of the host for a path of a silo, and a file that keeps it", "container/hostprocess.guard", "", "the file is refused; the owner of a directory for layers is checked"},
	{"container/hostprocess.keeps", "that file, to test for it", "", "", existing},
	{"container/hostprocess.readDir", "that directory, to list it", "", "", existing},
	{"container/hostprocess.Link", "link in the layers of a container", "", inherits + "the layer", "moved aside"},
	{"container/hostprocess.makeDir", "directory in the layers of a container", "", inherits + "the layer", "a link is refused"},
	{"container/hostprocess.MakeDir", "working directory of a program", "", inherits + "the one above it", existing},
	{"container/layer.ensureScratch", "scratch layer", "", inherits + "the snapshotter's directory, or of the record of silo run", existing},
	{"container/resource.write", "resource record", "", bundle, existing},
	{"shim/bootstrap.announce", "address of a shim", "", bundle, existing},
	{"shim/bootstrap.openCrash", "crash report beside the bundle", "", bundle, existing},
	{"shim/pod.record", "record of a workload", "", bundle, existing},
	{"jobobject.openNull", "the null device", "", "", existing},
	{"cmd/silo/command.dashboard", "TCP port of the dashboard", "", "every user of the machine, on the loopback address; the host and the origin of a request are checked", isRefused},
	{"cmd/silo/command.metrics", "TCP port of the metrics", "", "every user of the machine, on the loopback address", isRefused},
	{"cmd/silo/command.listen", "TCP port of silo supervise", "", "the address that the task names", isRefused},
}

// everyone are the trustees of which each is, or contains, every user of a machine.
var everyone = map[string]string{"WD": "Everyone", "BU": "Users", "AU": "Authenticated Users", "IU": "Interactive", "AN": "Anonymous", "BG": "Guests", "NU": "Network", "DU": "Domain Users"}

// permitted are the entries for every user, by the constant that has them.
var permitted = map[string]string{
	"container/hostprocess.guard": "(A;OICI;GRGX;;;AU)",
	"cmd/silo/node.SharedDir":     "(A;;0x1200ad;;;AU)", // list, make directories
}

// creating are the functions that make such objects, or open one that they may make.
var creating = regexp.MustCompile(`^(winio\.ListenPipe|pipe\.Listen|net\.Listen|windows\.(CreateNamedPipe|CreateEvent|CreateMutex|CreateFile|CreateDirectory|CreateFileMapping)|` +
	`os\.(Mkdir|MkdirAll|MkdirTemp|Create|CreateTemp|OpenFile|WriteFile|Symlink|Link|CopyFS)|ownership\.(MakeDir|MakeAll)|` +
	`m\.CreateService|eventlog\.Install\w*|registry\.CreateKey|\w+\.SetStringsValue|jobobject\.Create|\w+\.CreateJob|` +
	`procNetUserAdd\S*|procCreateJobObjectW\S*|procNtCreateJobObject\S*|openAppend|logfile\.Open(Writer)?|guardedDir|writeOwned|writeThrough|createServer)$`)

// parse reads the files of the product for Windows.
func parse(t *testing.T, visit func(dir string, file *ast.File)) {
	t.Helper()
	others := []string{"test", "tools", "deploy", "hcs/hcstest", "jobobject/jobtest", "container/containertest"}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		name := filepath.ToSlash(path)
		switch {
		case err != nil:
			return err
		case d.IsDir() && (slices.Contains(others, name) || d.Name() == "testdata" || len(name) > 1 && strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || strings.HasSuffix(name, "_other.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err == nil {
			visit(filepath.ToSlash(filepath.Dir(path)), file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// sites are the functions of the product that call one of creating.
func sites(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	parse(t, func(dir string, file *ast.File) {
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok {
					for _, e := range append([]ast.Expr{call.Fun}, call.Args...) { // such as winsys.Errno(procNetUserAdd, ...)
						if creating.MatchString(exprName(e)) {
							found[dir+"."+f.Name.Name] = true
						}
					}
				}
				return true
			})
		}
	})
	return found
}

// exprName is the name of a function or variable, with its package or receiver.
func exprName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		if x := exprName(e.X); x != "" {
			return x + "." + e.Sel.Name
		}
	}
	return ""
}

// descriptors are the constants of the product with a descriptor in SDDL, by package and name.
func descriptors(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	parse(t, func(dir string, file *ast.File) {
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			for i, value := range spec.Values {
				text := ""
				for {
					sum, ok := value.(*ast.BinaryExpr) // Administrators + "..."
					if !ok {
						break
					}
					text += found[dir+"."+exprName(sum.X)]
					value = sum.Y
				}
				if l, ok := value.(*ast.BasicLit); ok && l.Kind == token.STRING {
					part, err := strconv.Unquote(l.Value)
					if err != nil {
						t.Fatal(err)
					}
					if text += part; strings.HasPrefix(text, "D:") {
						found[dir+"."+spec.Names[i].Name] = text
					}
				}
			}
			return true
		})
	})
	return found
}

var (
	entry    = regexp.MustCompile(`\(A;([A-Z]*);(\w+);;;([A-Z]{2})\)`)
	trustees = map[string]string{"SY": "SYSTEM", "BA": "Administrators", "OW": "the owner", "AU": "Authenticated Users"}
	may      = map[string]string{"GA": "all", "FA": "all", "KA": "all", "GRGX": "read", "0x1200ad": "list, make directories"}
)

// describe puts a descriptor into words.
func describe(t *testing.T, sddl string) string {
	t.Helper()
	var words []string
	for _, e := range entry.FindAllStringSubmatch(sddl, -1) {
		if trustees[e[3]] == "" || may[e[2]] == "" {
			t.Errorf("%s: no words for %s", sddl, e[0])
		}
		words = append(words, trustees[e[3]]+" "+may[e[2]])
	}
	if rest := entry.ReplaceAllString(sddl, ""); rest != "D:P" {
		t.Errorf("%s: %q is no part of a protected descriptor", sddl, rest)
	}
	return strings.Join(words, ", ")
}

// TestAccess_EveryObject_IsInTheTable compares docs/access.md with the table, and the table with the source.
func TestAccess_EveryObject_IsInTheTable(t *testing.T) {
	var text strings.Builder
	text.WriteString(accessHead)
	constants, found, used := descriptors(t), sites(t), map[string]bool{}
	for _, m := range access {
		if !found[m.site] {
			t.Errorf("%s makes nothing; remove its row", m.site)
		}
		used[m.site] = true
		who := m.access
		if m.descriptor != "" {
			who = describe(t, constants[m.descriptor]) + " (`" + constants[m.descriptor] + "`)"
			used[m.descriptor] = true
		}
		if who != "" { // else it only opens
			fmt.Fprintf(&text, "| %s | %s | %s | `%s` |\n", m.object, who, m.taken, m.site)
		}
	}
	for _, site := range slices.Sorted(maps.Keys(found)) {
		if !used[site] {
			t.Errorf("%s makes an object that is not in the table of access_test.go: who may do what with it?", site)
		}
	}
	for name, sddl := range constants {
		if !used[name] {
			t.Errorf("the descriptor %s belongs to no row", name)
		}
		for _, e := range entry.FindAllStringSubmatch(strings.Replace(sddl, permitted[name], "", 1), -1) {
			if everyone[e[3]] != "" {
				t.Errorf("%s: %s gives access to %s", name, e[0], everyone[e[3]])
			}
		}
	}
	t.Logf("%d objects, %d descriptors", len(access), len(constants))
	const path = "docs/access.md"
	if *update {
		if err := os.WriteFile(path, []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil || string(have) != text.String() {
		t.Errorf("%s is out of date, %v; run go test -tags no_grpc -run Access . -update", path, err)
	}
}

const accessHead = `# Access

The objects that the shim and silo make, and who may do what with them. "owner" is the user that has made the object: SYSTEM
for a shim and for a service, otherwise the user of silo. Nothing is inherited where a descriptor is shown. An object with
more than this table is a failure of ` + "`TestAccess_EveryObject_IsInTheTable`" + `, which writes this page: it finds every call that makes
one in the source. ` + "`TestAccess_Jobs_HaveTheirDescriptors`" + ` compares with what runs make on the simulated kernel.

| object | who may what | another user has made the name first | made by |
|---|---|---|---|
`
