// Command measure counts the Go files of a tree and the places of the product that repeat code:
//
//	go run ./test/measure [DIR]
package main

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"text/tabwriter"
)

// kind is a part of the tree.
type kind string

const (
	product    kind = "product"
	simulation kind = "simulation" // packages beside the product that only its tests import, such as jobobject/jobtest
	tests      kind = "tests"      // files *_test.go, and all below test
)

// short is the number of lines up to which a file counts as short.
const short = 40

// file is a Go file with its path below the root of the tree.
type file struct {
	path string
	text []byte
}

func (f file) lines() int { return bytes.Count(f.text, []byte("\n")) }

func (f file) kind() kind {
	switch dir := path.Dir(f.path); {
	case strings.HasSuffix(f.path, "_test.go"), dir == "test", strings.HasPrefix(dir, "test/"):
		return tests
	case isFake(path.Base(dir), path.Base(path.Dir(dir))):
		return simulation
	}
	return product
}

// isFake reports whether a directory is named for the fakes of its parent, as jobtest in jobobject.
func isFake(dir, parent string) bool {
	of, ok := strings.CutSuffix(dir, "test")
	return ok && of != "" && strings.HasPrefix(parent, of)
}

func main() {
	dir := "."
	if len(os.Args) > 1 {
		dir = os.Args[1]
	}
	if err := measure(os.Stdout, os.DirFS(dir)); err != nil {
		fmt.Fprintln(os.Stderr, "measure:", err)
		os.Exit(1)
	}
}

// measure writes the table of a tree, and then a line for each place that repeats code.
func measure(out io.Writer, tree fs.FS) error {
	files, err := read(tree)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "\tlines\tfiles\tpackages\tfiles of %d lines or fewer\t\n", short)
	var code []file
	for _, k := range []kind{product, simulation, tests} {
		count, lines, few := 0, 0, 0
		packages := map[string]bool{}
		for _, f := range files {
			if f.kind() != k {
				continue
			}
			count++
			lines += f.lines()
			packages[path.Dir(f.path)] = true
			if f.lines() <= short {
				few++
			}
			if k == product {
				code = append(code, f)
			}
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t\n", k, lines, count, len(packages), few)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	repeated := repeats(code)
	fmt.Fprintf(out, "\nplaces of the product that repeat %d lines or more of another: %d\n", window, len(repeated))
	for _, r := range repeated {
		fmt.Fprintln(out, r)
	}
	return nil
}

// read reads the Go files of a tree, in order. Directories that the go command ignores are left out.
func read(tree fs.FS) (files []file, err error) {
	err = fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (slices.Contains([]string{"testdata", "vendor"}, d.Name()) || strings.ContainsAny(d.Name()[:1], "._")):
			return fs.SkipDir
		case d.IsDir() || path.Ext(name) != ".go":
			return nil
		}
		text, err := fs.ReadFile(tree, name)
		files = append(files, file{name, text})
		return err
	})
	return files, err
}
