package siloshim

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// decoders has what the programs read from others: the functions that decode it, and the fuzz targets that they have. A
// method is written as Type.Method.
var decoders = []struct {
	input     string
	functions []string
	targets   []string
}{
	{"config.json of a bundle", []string{"container/plan.Load", "container/plan.decode", "container/plan.Annotations", "container/plan.newStop", "container/plan.Request.joinPod"},
		[]string{"container/plan.FuzzContainer", "container/plan.FuzzLoad"}},
	{"config.json of a Windows Server container", []string{"container/plan.Machine.WCOW", "container/plan.WCOW.planExtensions", "container/plan.WCOW.planCredentials", "container/plan.dumps"},
		[]string{"container/plan.FuzzWCOW"}},
	{"limits in annotations", []string{"container/plan.request.pick"}, []string{"container/plan.FuzzLoad", "container/plan.FuzzContainer"}},
	{"mounts of layers", []string{"container/plan.Layers.fromMount"}, []string{"container/plan.FuzzLayers"}},
	{"process.json", []string{"container/plan.Container.Exec", "shim/service.Service.exec"}, []string{"container/plan.FuzzExec", "test/sim.FuzzRequests"}},
	{"ttrpc requests", []string{"shim/service.Serve", "shim/service.windowsResources"}, []string{"test/sim.FuzzRequests"}},
	{"traceparent of a request", []string{"internal/trace.parse", "internal/trace.decode"}, []string{"internal/trace.FuzzParse"}},
	{"BootstrapParams and the options on standard input", []string{"shim/bootstrap.readParams", "shim/bootstrap.bootParams", "shim/bootstrap.bareOptions", "shim/bootstrap.writeInfo"},
		[]string{"shim/bootstrap.FuzzStdin"}},
	{"flags of the shim", []string{"shim/bootstrap.parseFlags", "shim/bootstrap.flags.validate"}, []string{"shim/bootstrap.FuzzFlags"}},
	{"options in an Any", []string{"shim/bootstrap.DecodeOptions", "shim/bootstrap.isEndpoint"}, []string{"shim/bootstrap.FuzzOptions"}},
	{"options in TOML", []string{"shim/bootstrap.fromTOML"}, []string{"shim/bootstrap.FuzzOptionsTable"}},
	{"options of a sandbox", []string{"shim/pod.hostProcess", "shim/pod.lookup"}, []string{"shim/pod.FuzzHostProcess"}},
	{"addresses of streams", []string{"shim/stdio.parseAddress", "shim/stdio.programAddress", "shim/stdio.parseRotation"}, []string{"shim/stdio.FuzzParseAddress"}},
	{"documents of the HCS", []string{"schema.Unmarshal", "schema.decode", "hcs.decode", "container/wcow.addCredentials"}, []string{"schema.FuzzRoundTrip"}},
	{"errors of the HCS", []string{"hcs.Error.explain"}, []string{"hcs.FuzzFailure"}},
	{"events of the HCS", []string{"hcs.exitCodeIn", "hcs.watch.put"}, []string{"hcs.FuzzExit"}},
	{"limits of a job", []string{"jobobject.extendedLimit.read", "jobobject.cpuRateControl.read", "jobobject.netRateControl.read"}, []string{"jobobject.FuzzLimits"}},
	{"processors of a job", []string{"jobobject.readAffinity"}, []string{"jobobject.FuzzAffinity"}},
	{"members of a job", []string{"jobobject.readProcessIDs"}, []string{"jobobject.FuzzProcessIDs"}},
	{"counters of a job and of a process", []string{"jobobject.basicAccounting.accounting", "jobobject.siloBasic.silo", "jobobject.serverSiloBasic.serverSilo", "jobobject.kernelUserTimes.times", "jobobject.vmCounters.memory"}, []string{"jobobject.FuzzAccounting"}},
	{"notifications of a job", []string{"jobobject.notificationLimit.limits", "jobobject.limitViolation.violation"}, []string{"jobobject.FuzzNotifications"}},
	{"messages of a completion port", []string{"jobobject.newMessage"}, []string{"jobobject.FuzzMessage"}},
	{"processes of the machine", []string{"jobobject.decodeSystemProcesses"}, []string{"jobobject.FuzzDecodeSystemProcesses"}},
	{"image of a process", []string{"jobobject.decodeImage", "jobobject.lastElement"}, []string{"jobobject.FuzzDecodeImage"}},
	{"environment of a program", []string{"jobobject.cleanEnvironment"}, []string{"jobobject.FuzzCleanEnvironment"}},
	{"arguments of a program", []string{"internal/commandline.Join", "jobobject.commandLineOf"},
		[]string{"internal/commandline.FuzzJoin", "container/plan.FuzzCommandLine", "jobobject.FuzzCommandLine"}},
	{"arguments of a batch file", []string{"container/plan.batchLine"}, []string{"container/plan.FuzzBatchLine"}},
	{"entries of an object directory", []string{"cmd/silo/node.decodeEntry", "cmd/silo/node.unicodeString.text"}, []string{"cmd/silo/node.FuzzDirectoryEntry"}},
	{"names of jobs", []string{"cmd/silo/node.parse"}, []string{"cmd/silo/node.FuzzJobName"}},
	{"record of resources, also of an old release", []string{"container/resource.parse", "container/resource.parseLegacy"}, []string{"container/resource.FuzzParse"}},
	{"shared memory with the pod of a container", []string{"container/podinfo.Decode"}, []string{"container/podinfo.FuzzDecode"}},
	{"container.json", []string{"cmd/silo/node.Records.Read"}, []string{"cmd/silo/node.FuzzRecord"}},
	{"launch.json", []string{"cmd/silo/node.Records.ReadLaunch"}, []string{"cmd/silo/node.FuzzLaunch"}},
	{"stop.json", []string{"cmd/silo/command.readStop"}, []string{"cmd/silo/command.FuzzStop"}},
	{"index of times of a log", []string{"internal/logfile.timesReader.load"}, []string{"internal/logfile.FuzzTimes"}},
	{"names of rotated logs", []string{"internal/logfile.numberOf"}, []string{"internal/logfile.FuzzNumberOf"}},
	{"environment of Damon", []string{"cmd/silo/damon.FromEnvironment", "cmd/silo/damon.variables.whole"}, []string{"cmd/silo/damon.FuzzEnvironment"}},
	{"configuration of hostcompute_nspawn", []string{"schema.ParseNspawnConfig", "cmd/silo/wcow.Nspawn", "cmd/silo/wcow.NspawnOutput"}, []string{"cmd/silo/wcow.FuzzNspawn"}},
	{"layerchain.json", []string{"cmd/silo/wcow.Chain"}, []string{"cmd/silo/wcow.FuzzChain"}},
	{"config.toml of containerd", []string{"cmd/silo/install.parse", "cmd/silo/install.parseHandlers", "cmd/silo/install.removeBlock", "cmd/silo/install.addImport", "cmd/silo/install.isImported"},
		[]string{"cmd/silo/install.FuzzImport", "cmd/silo/install.FuzzBlock", "cmd/silo/install.FuzzHandlers"}},
	{"command line of a service", []string{"cmd/silo/install.cutProgram", "cmd/silo/install.Service.flag"}, []string{"cmd/silo/install.FuzzService"}},
	{"signature of an executable", []string{"cmd/silo/install.DescribeSignature", "cmd/silo/install.signerOf", "cmd/silo/install.signatureOf"}, []string{"cmd/silo/install.FuzzDescribeSignature"}},
	{"text files", []string{"internal/textfile.Decode", "internal/textfile.fromUTF16"}, []string{"internal/textfile.FuzzDecode"}},
	{"files of --env-file", []string{"cmd/silo/command.environmentFlags.entries"}, []string{"cmd/silo/command.FuzzEnvironmentFile"}},
	{"specifications of silo explain", []string{"cmd/silo/command.readSpec"}, []string{"cmd/silo/command.FuzzSpecification"}},
	{"templates of --format", []string{"cmd/silo/command.newFormatter", "cmd/silo/command.parseFormat"}, []string{"cmd/silo/command.FuzzFormat"}},
	{"times and durations", []string{"cmd/silo/command.parseTime", "cmd/silo/command.duration.Set"}, []string{"cmd/silo/command.FuzzTime"}},
	{"sizes and rates", []string{"internal/size.Parse", "internal/size.ParseRate"}, []string{"internal/size.FuzzParse"}},
	{"limits on a command line", []string{"cmd/silo/limit.Flags.Apply"}, []string{"cmd/silo/limit.FuzzFlags"}},
	{"sets of processors", []string{"cmd/silo/limit.Machine.Affinity"}, []string{"cmd/silo/limit.FuzzAffinity"}},
	{"restart policies and signals", []string{"cmd/silo/supervisor.ParsePolicy", "cmd/silo/supervisor.ParseSignals"}, []string{"cmd/silo/supervisor.FuzzParse"}},
	{"texts and documents for a support bundle", []string{"internal/redact.JSON", "internal/redact.Text"}, []string{"internal/redact.FuzzJSON"}},
}

// notFuzzed are functions that call a decoder and are not in the table, each with the reason.
var notFuzzed = map[string]string{
	"cmd/silo/command.executeJSON":  "it decodes what it has encoded",
	"cmd/silo/dashboard.sameOrigin": "it compares one part of what net/url has parsed",
	"container/network.explain":     "it reads one member of a document, and needs the service's memory",
}

// decoding are the calls by which a function decodes what it did not make.
var decoding = regexp.MustCompile(`^(json\.(Unmarshal|NewDecoder)|toml\.(Unmarshal|NewDecoder)|proto\.Unmarshal|url\.Parse(Query)?|protowire\.Consume\w+|schema\.Unmarshal|pkcs7\.Parse|pe\.NewFile|hex\.Decode)$`)

// function is a function of a package, with its calls.
type function struct {
	name  string // package.Function or package.Type.Method
	calls []string
	test  bool
}

// functions lists the functions of this module, for every system.
func functions(t *testing.T) (list []function) {
	t.Helper()
	for _, line := range packages(t) {
		dir, name, _ := strings.Cut(line, "|")
		files, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if !strings.HasSuffix(file.Name(), ".go") {
				continue
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), dir+"/"+file.Name(), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range parsed.Decls {
				if f, is := d.(*ast.FuncDecl); is {
					list = append(list, function{name + "." + receiver(f) + f.Name.Name, callsOf(f), strings.HasSuffix(file.Name(), "_test.go")})
				}
			}
		}
	}
	return list
}

// packages are the directories and names of the packages.
func packages(t *testing.T) []string {
	var lines []string
	for _, line := range list(t, "windows", "-f", "{{.Dir}}|{{.ImportPath}}", "./...") {
		dir, path, _ := strings.Cut(line, "|")
		lines = append(lines, dir+"|"+strings.TrimPrefix(strings.TrimPrefix(path, module), "/"))
	}
	return lines
}

// receiver is the type of a method with a dot after it.
func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	kind := f.Recv.List[0].Type
	if star, is := kind.(*ast.StarExpr); is {
		kind = star.X
	}
	if generic, is := kind.(*ast.IndexExpr); is {
		kind = generic.X
	}
	if name, is := kind.(*ast.Ident); is {
		return name.Name + "."
	}
	return ""
}

// callsOf are the functions of other packages that a function calls.
func callsOf(f *ast.FuncDecl) (calls []string) {
	ast.Inspect(f, func(n ast.Node) bool {
		if call, is := n.(*ast.CallExpr); is {
			if s, is := call.Fun.(*ast.SelectorExpr); is {
				if name, is := s.X.(*ast.Ident); is {
					calls = append(calls, name.Name+"."+s.Sel.Name)
				}
			}
		}
		return true
	})
	return calls
}

// TestDecoders_EachHasFuzzTarget: every function of the table exists, and every target; each target is in the table, and so
// is each function of the product that decodes something.
func TestDecoders_EachHasFuzzTarget(t *testing.T) {
	product, targets := map[string][]string{}, map[string]bool{}
	for _, f := range functions(t) {
		_, base, _ := strings.Cut(f.name, ".Fuzz")
		switch {
		case f.test && base != "":
			targets[f.name] = false
		case !f.test:
			product[f.name] = append(product[f.name], f.calls...)
		}
	}
	known := map[string]bool{}
	for _, d := range decoders {
		for _, name := range d.functions {
			known[name] = true
			if _, exists := product[name]; !exists {
				t.Errorf("%s: there is no function %s", d.input, name)
			}
		}
		for _, name := range d.targets {
			if _, exists := targets[name]; !exists {
				t.Errorf("%s: there is no target %s", d.input, name)
			}
			targets[name] = true
		}
		if len(d.functions) == 0 || len(d.targets) == 0 {
			t.Errorf("%s: it needs a function and a target", d.input)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(targets)) {
		if !targets[name] {
			t.Errorf("the target %s is not in the table", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(product)) {
		helper := strings.HasPrefix(name, "test/") || strings.Contains(name, "/hcstest.") || strings.Contains(name, "/jobtest.") || strings.Contains(name, "containertest.")
		if decodes := slices.ContainsFunc(product[name], decoding.MatchString); decodes && !helper && !known[name] && notFuzzed[name] == "" {
			t.Errorf("%s decodes and is not in the table", name)
		}
	}
	for name, reason := range notFuzzed {
		if _, exists := product[name]; !exists || known[name] || reason == "" {
			t.Errorf("notFuzzed has %s, which is in the table or gone", name)
		}
	}
}
