package siloshim

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// layoutLists have the layouts of Windows structures on 64-bit processors, as C compilers give them: the first is made of
// the headers of the Windows SDK and phnt, the second of those of mingw (see test/wine/layout). A line is "S structure
// size" or "F structure field offset size". Structures of another package than jobobject have its path before their name.
var layoutLists = []string{"test/wine/layout/testdata/win64-layouts.txt", "test/wine/layout/testdata/mingw-layouts.txt"}

// notCompared has the structures and fields that the lists cannot settle, each with the reason.
var notCompared = map[string]string{
	"memoryCounters":                                        "a part of two structures that are compared",
	"systemProcessInformation.IoInfo":                       "the lists count its six counters one by one, and name the first so",
	"systemProcessInformation.HardFaultCount":               "phnt alone has it, between two fields that are compared",
	"systemProcessInformation.NumberOfThreadsHighWatermark": "phnt alone has it, between two fields that are compared",

	"cmd/silo/node.directoryEntry":    "OBJECT_DIRECTORY_INFORMATION is in no header of mingw",
	"container/layer.driverInfo":      "vmcompute.dll has no public header",
	"container/layer.layerDescriptor": "vmcompute.dll has no public header",
	"container/layer.imagePath":       "cimfs.dll has no header in mingw",
}

// TestLayouts_EveryStructure_IsAsCompilersHaveIt computes the layouts of the structures that this module shares with
// Windows, as the Go compiler does for windows/amd64, and compares them with what C compilers made of the headers.
func TestLayouts_EveryStructure_IsAsCompilersHaveIt(t *testing.T) {
	listed := map[string]bool{}
	for _, path := range layoutLists {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			listed[strings.TrimSpace(line)] = true
		}
	}
	used := map[string]bool{}
	excused := func(structure, field string) bool {
		for _, key := range []string{structure, structure + "." + field} {
			if notCompared[key] != "" {
				used[key] = true
				return true
			}
		}
		return false
	}
	ours := layouts(t, excused)
	for _, line := range slices.Sorted(maps.Keys(listed)) {
		if f := strings.Fields(line); !ours[line] && !excused(f[1], f[2]) {
			t.Errorf("no structure of this module has the layout %q", line)
		}
	}
	for _, line := range slices.Sorted(maps.Keys(ours)) {
		if f := strings.Fields(line); !listed[line] && !excused(f[1], f[2]) {
			t.Errorf("%q is in none of %q", line, layoutLists)
		}
	}
	for key := range notCompared {
		if !used[key] {
			t.Errorf("notCompared has %s, which is compared or gone", key)
		}
	}
}

// layouts has the lines of all structures that are shared with Windows.
func layouts(t *testing.T, excused func(structure, field string) bool) map[string]bool {
	t.Helper()
	lines := map[string]bool{}
	for _, line := range list(t, "windows", "-f", `{{.ImportPath}}|{{.Dir}}|{{join .GoFiles "|"}}`, "./...") {
		fields := strings.Split(line, "|")
		path := strings.TrimPrefix(strings.TrimPrefix(fields[0], module), "/")
		if strings.HasPrefix(path, "test/") || fields[2] == "" {
			continue
		}
		prefix := path + "."
		if path == "jobobject" {
			prefix = ""
		}
		for name, s := range sharedStructs(t, fields[1], fields[2:]) {
			if !isMarked(s) && !excused(prefix+name, "") {
				t.Errorf("%s%s reaches Windows; mark it with structs.HostLayout", prefix, name)
			}
			if isMarked(s) {
				for _, line := range layoutLines(prefix+name, s) {
					lines[line] = true
				}
			}
		}
	}
	return lines
}

// sharedStructs finds the structures of a package whose layout is marked as the system's by structs.HostLayout, and those
// to which a pointer becomes an unsafe.Pointer or comes from one.
func sharedStructs(t *testing.T, dir string, files []string) map[string]*types.Struct {
	t.Helper()
	set := token.NewFileSet()
	var parsed []*ast.File
	for _, name := range files {
		f, err := parser.ParseFile(set, filepath.Join(dir, name), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, f)
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
	// Other packages are not loaded, so most of the package does not check. Its own structures do.
	config := types.Config{Importer: structsOnly{}, Error: func(error) {}, Sizes: types.SizesFor("gc", "amd64")}
	pkg, _ := config.Check(dir, set, parsed, info)
	shared := map[string]*types.Struct{}
	for _, name := range pkg.Scope().Names() {
		if o, ok := pkg.Scope().Lookup(name).(*types.TypeName); ok {
			if s, ok := o.Type().Underlying().(*types.Struct); ok && isMarked(s) {
				shared[name] = s
			}
		}
	}
	for _, f := range parsed {
		ast.Inspect(f, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && len(call.Args) == 1 && info.Types[call.Fun].IsType() {
				to, from := info.Types[call.Fun].Type, info.Types[call.Args[0]].Type
				for _, pair := range [][2]types.Type{{to, from}, {from, to}} {
					if name, s := pointedTo(pair[1]); s != nil && types.Identical(pair[0], types.Typ[types.UnsafePointer]) {
						shared[name] = s
					}
				}
			}
			return true
		})
	}
	return shared
}

// pointedTo is the structure that a pointer of type t points to.
func pointedTo(t types.Type) (name string, s *types.Struct) {
	if p, ok := t.(*types.Pointer); ok {
		if named, ok := p.Elem().(*types.Named); ok {
			s, _ = named.Underlying().(*types.Struct)
			return named.Obj().Name(), s
		}
	}
	return "", nil
}

// isMarked tells whether a structure begins with structs.HostLayout.
func isMarked(s *types.Struct) bool {
	return s.NumFields() > 0 && s.Field(0).Type().String() == "structs.HostLayout"
}

// layoutLines has the lines of one structure. Fields without a name are padding.
func layoutLines(name string, s *types.Struct) []string {
	lines := []string{fmt.Sprintf("S %s %d", name, types.SizesFor("gc", "amd64").Sizeof(s))}
	return append(lines, fieldLines(name, s, 0)...)
}

// fieldLines has the lines of the fields of a structure at an offset in the structure of that name. Those of an embedded
// structure are its own.
func fieldLines(name string, s *types.Struct, at int64) (lines []string) {
	sizes := types.SizesFor("gc", "amd64")
	fields := slices.Collect(s.Fields())
	for i, offset := range sizes.Offsetsof(fields) {
		f := fields[i]
		if part, ok := f.Type().Underlying().(*types.Struct); ok && f.Embedded() {
			lines = append(lines, fieldLines(name, part, at+offset)...)
		} else if f.Name() != "_" {
			lines = append(lines, fmt.Sprintf("F %s %s %d %d", name, f.Name(), at+offset, sizes.Sizeof(f.Type())))
		}
	}
	return lines
}

// structsOnly imports package structs and no other.
type structsOnly struct{}

func (structsOnly) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	if path != "structs" {
		return nil, fmt.Errorf("package %s is not loaded", path)
	}
	p := types.NewPackage(path, path)
	name := types.NewTypeName(token.NoPos, p, "HostLayout", nil)
	types.NewNamed(name, types.NewStruct(nil, nil), nil)
	p.Scope().Insert(name)
	p.MarkComplete()
	return p, nil
}
