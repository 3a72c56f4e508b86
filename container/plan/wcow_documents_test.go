package plan

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/schema"
)

// difference is an intended difference from the document of the reference.
type difference struct {
	why string
	// lines are the exact difference: "-" is the reference, "+" is ours. A side that refuses the
	// specification has one line with its error.
	lines []string
}

// differences are by the name of the specification in testdata/hcs-documents.
var differences = map[string]difference{
	"04-mem-odd": {"a part of a megabyte is rounded up, so that a container does not get less than requested", []string{
		`- /Container/Memory/SizeInMB: 100`,
		`+ /Container/Memory/SizeInMB: 101`,
	}},
	"05-mem-small": {"the reference ignores a limit below a megabyte", []string{
		`- a document`,
		`+ refused: windows.resources.memory.limit 1000: use at least 8388608: containers with less memory are known to hang; ` +
			`annotation io.siloshim.best-effort: "true" takes 8388608 instead: invalid argument`,
	}},
	"23-mount-slash": {"paths have backslashes, which Windows treats as slashes", []string{
		`- /Container/MappedDirectories/0/ContainerPath: "C:/data/x"`,
		`+ /Container/MappedDirectories/0/ContainerPath: "C:\\data\\x"`,
	}},
	"24-mount-nodrive": {"the drive is named, as containerd's CRI does before a runtime sees the path", []string{
		`- /Container/MappedDirectories/0/ContainerPath: "\\data"`,
		`+ /Container/MappedDirectories/0/ContainerPath: "C:\\data"`,
	}},
	"28-mount-relative": {"the base of a relative path is unknown", []string{
		`- a document`,
		`+ refused: mounts[0].destination: it is not an absolute Windows path such as C:\dir: invalid argument`,
	}},
	"29-mount-pipe-case": {"Windows names pipes without regard to case; the reference takes this one for a file and does not find it", []string{
		`- refused: failed to resolve path for mount source "\\\\.\\PIPE\\a": CreateFile \\.\PIPE\a: File not found.`,
		`+ {"MappedPipes":[{"ContainerPipeName":"a","HostPath":"\\\\.\\PIPE\\a"}],"Processor":{},` +
			`"RegistryChanges":{"AddValues":[{"Key":{"Hive":"System","Name":"ControlSet001\\Control"},` +
			`"Name":"WaitToKillServiceTimeout","StringValue":"2147483647","Type":"String"}]},` +
			`"Storage":{"Layers":[{"Id":"aaaaaaaa-0000-0000-0000-000000000001","Path":"C:\\layers\\p1"}],` +
			`"Path":"\\\\?\\Volume{11111111-2222-3333-4444-555555555555}\\"}}`,
	}},
	"52-cpu-max-big": {"the service takes 1 to 10000; the reference leaves the refusal to it, which does not name the field", []string{
		`- a document`,
		`+ refused: windows.resources.cpu.maximum 10001: use 1 to 10000; ` +
			`annotation io.siloshim.best-effort: "true" takes 10000 instead: invalid argument`,
	}},
	"53-cpu-shares-big": {"the service takes 1 to 10000; the reference leaves the refusal to it, which does not name the field", []string{
		`- a document`,
		`+ refused: windows.resources.cpu.shares 20000: use 1 to 10000; ` +
			`annotation io.siloshim.best-effort: "true" takes 10000 instead: invalid argument`,
	}},
	"55-gpu-class": {"the service's field is a GUID; the prefix is how users of docker and of CRI write one, and their clients drop it", []string{
		`- /Container/AssignedDevices/0/InterfaceClassGuid: "class/5B45201D-F2F2-4F3B-85BB-30FF1F953599"`,
		`+ /Container/AssignedDevices/0/InterfaceClassGuid: "5B45201D-F2F2-4F3B-85BB-30FF1F953599"`,
	}},
	"56-mount-empty-dest": {"the reference refuses it, too, but in a step before it makes the document", []string{
		`- a document`,
		`+ refused: mounts[0].destination: it is not an absolute Windows path such as C:\dir: invalid argument`,
	}},
}

// documentHost is the machine of the reference: it has two processors, and resolves paths to the form of
// GetFinalPathNameByHandle.
func documentHost() Machine {
	return Machine{
		Processors: 2, Build: 20348,
		Resolve: func(path string) (string, error) {
			path = strings.TrimPrefix(path, `\\?\`)
			if !strings.EqualFold(path, `C:\windows`) {
				return "", fs.ErrNotExist
			}
			return `\\?\` + path, nil
		},
	}
}

// The table of differences has every document that is not equal.
func TestWCOW_Document_MatchesHcsshim(t *testing.T) {
	dir := filepath.Join("testdata", "hcs-documents")
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	const want = 60
	accounted, known := 0, maps.Clone(differences)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		expected := known[name]
		delete(known, name)
		if t.Run(name, func(t *testing.T) {
			lines := compareDocuments(t, file)
			if diff := cmp.Diff(expected.lines, lines); diff != "" {
				t.Errorf("difference from the reference (-in the table +now):\n%s\nnow %#v", diff, lines)
			}
			if (expected.why == "") != (len(expected.lines) == 0) {
				t.Error("an entry of the table has a reason and lines, or is not there")
			}
		}) {
			accounted++
		}
	}
	if len(known) > 0 {
		t.Errorf("the table names specifications that are not there: %v", slices.Sorted(maps.Keys(known)))
	}
	t.Logf("%d of %d accounted for, %d of them equal or refused by both", accounted, want, accounted-len(differences))
	if accounted != want {
		t.Errorf("%d specifications are accounted for, want %d", accounted, want)
	}
}

// compareDocuments returns the difference between the document of the reference and ours.
func compareDocuments(t *testing.T, file string) []string {
	t.Helper()
	var s specs.Spec
	var reference struct {
		Doc   any
		Error string
	}
	readJSON(t, file, &s)
	readJSON(t, file+".ref", &reference)
	plan, err := documentHost().WCOW("example", &s, nil)
	switch {
	case err != nil && reference.Error != "":
		return nil
	case err != nil:
		return []string{"- a document", "+ refused: " + err.Error()}
	case reference.Error != "":
		return []string{"- refused: " + reference.Error, "+ " + string(marshal(t, made(t, plan).(map[string]any)["Container"]))}
	}
	want, got := flatten(t, reference.Doc), flatten(t, made(t, plan))
	for path, value := range want {
		if got[path] == value {
			delete(want, path)
			delete(got, path)
		}
	}
	return append(lines("-", want), lines("+", got)...)
}

// made is the document of a plan with the volume, layers and namespace that the reference was given.
func made(t *testing.T, plan *WCOW) any {
	t.Helper()
	d := plan.Document
	d.Owner = "ref"
	d.Container.Storage.Path = `\\?\Volume{11111111-2222-3333-4444-555555555555}\`
	for i, parent := range plan.Layers.Parents {
		id := fmt.Sprintf("aaaaaaaa-0000-0000-0000-%012d", i+1)
		d.Container.Storage.Layers = append(d.Container.Storage.Layers, schema.Layer{Id: id, Path: parent})
	}
	if plan.OwnNamespace {
		d.Container.Networking.Namespace = "(own)"
	}
	var document any
	if err := json.Unmarshal(marshal(t, &d), &document); err != nil {
		t.Fatal(err)
	}
	return document
}

func marshal(t *testing.T, value any) []byte {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func readJSON(t *testing.T, file string, to any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, to); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// flatten returns the values of a document by their paths. An empty object is a value.
func flatten(t *testing.T, document any) map[string]string {
	t.Helper()
	all := map[string]string{}
	var walk func(path string, value any)
	walk = func(path string, value any) {
		switch v := value.(type) {
		case map[string]any:
			for key, member := range v {
				walk(path+"/"+key, member)
			}
			if len(v) > 0 {
				return
			}
		case []any:
			for i, member := range v {
				walk(fmt.Sprint(path, "/", i), member)
			}
			if len(v) > 0 {
				return
			}
		}
		all[path] = string(marshal(t, value))
	}
	walk("", document)
	return all
}

func lines(sign string, values map[string]string) (list []string) {
	for _, path := range slices.Sorted(maps.Keys(values)) {
		list = append(list, sign+" "+path+": "+values[path])
	}
	return list
}
