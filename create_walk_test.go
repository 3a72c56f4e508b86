package siloshim

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// createWalk has the packages that a Create of a Windows Server container enters from package service, in order.
// ARCHITECTURE.md has it in words. Package pod is entered twice: package plan calls it when the specification has been read,
// and the service adds the task at the end.
var createWalk = []string{
	"shim/bootstrap", "shim/pod", "container/plan", "container/engine", "shim/stdio", "container", "shim/task", "shim/pod",
}

func TestCreate_WindowsServerContainer_EntersPackagesInOrder(t *testing.T) {
	w := newWalk(t, "shim/service")
	w.enter("Create")
	if got := slices.Compact(w.entered); !slices.Equal(got, createWalk) {
		t.Errorf("packages %q, want %q; change ARCHITECTURE.md as well", got, createWalk)
	}
}

// walk follows the calls of a package in the order of its source, without those in the handling of an error.
type walk struct {
	path      string
	info      *types.Info
	functions map[string]*ast.FuncDecl
	entered   []string
}

// newWalk loads a package and the types of all that it imports.
func newWalk(t *testing.T, path string) *walk {
	t.Helper()
	exports := map[string]string{}
	for _, line := range list(t, "linux", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}", "./"+path) {
		name, file, _ := strings.Cut(line, " ")
		exports[name] = file
	}
	set := token.NewFileSet()
	w := &walk{path: module + "/" + path, functions: map[string]*ast.FuncDecl{}}
	w.info = &types.Info{Uses: map[*ast.Ident]types.Object{}, Types: map[ast.Expr]types.TypeAndValue{}}
	var files []*ast.File
	for name := range strings.FieldsSeq(list(t, "linux", "-f", `{{join .GoFiles " "}}`, "./"+path)[0]) {
		f, err := parser.ParseFile(set, filepath.Join(path, name), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
		for _, d := range f.Decls {
			if function, ok := d.(*ast.FuncDecl); ok {
				w.functions[function.Name.Name] = function
			}
		}
	}
	lookup := func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) }
	config := types.Config{Importer: importer.ForCompiler(set, "gc", lookup)}
	if _, err := config.Check(w.path, set, files, w.info); err != nil {
		t.Fatal(err)
	}
	return w
}

// enter follows a function of the package.
func (w *walk) enter(name string) {
	if f := w.functions[name]; f != nil {
		ast.Inspect(f.Body, w.visit)
	}
}

func (w *walk) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.IfStmt:
		for _, part := range []ast.Node{n.Init, n.Cond} {
			if part != nil && part != ast.Stmt(nil) {
				ast.Inspect(part, w.visit)
			}
		}
		if !w.isErrorCheck(n.Cond) {
			ast.Inspect(n.Body, w.visit)
		}
		return false
	case *ast.FuncLit: // it is called later
		return false
	case *ast.CaseClause: // those of the other kinds of containers
		return len(n.List) == 1 && strings.Contains(types.ExprString(n.List[0]), "WCOW")
	case *ast.CallExpr: // arguments are evaluated first
		for _, argument := range n.Args {
			ast.Inspect(argument, w.visit)
		}
		ast.Inspect(n.Fun, w.visit)
		return false
	case *ast.Ident:
		if f, ok := w.info.Uses[n].(*types.Func); ok && f.Pkg() != nil {
			w.use(f)
		}
	}
	return true
}

// use notes the package of a function, or follows one of this package.
func (w *walk) use(f *types.Func) {
	path, ours := strings.CutPrefix(f.Pkg().Path(), module+"/")
	switch {
	case f.Pkg().Path() == w.path:
		w.enter(f.Name())
	case ours && !strings.HasPrefix(path, "internal/"):
		w.entered = append(w.entered, path)
	}
}

// isErrorCheck reports whether a condition is that an error is not nil.
func (w *walk) isErrorCheck(condition ast.Expr) bool {
	c, ok := condition.(*ast.BinaryExpr)
	if !ok || c.Op != token.NEQ {
		return false
	}
	named, ok := w.info.Types[c.X].Type.(*types.Named)
	return ok && named.Obj().Name() == "error"
}
