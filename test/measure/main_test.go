package main

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// source is a file with a function of these statements.
func source(name string, statements ...string) *fstest.MapFile {
	text := fmt.Sprintf("package p\n\nimport (\n\t\"fmt\"\n\t\"os\"\n)\n\n// %s does nothing.\nfunc %s() {\n\t%s\n}\n", name, name, strings.Join(statements, "\n\t"))
	return &fstest.MapFile{Data: []byte(text)}
}

func TestMeasure_Tree_CountsEachKind(t *testing.T) {
	long := make([]string, 40)
	for i := range long {
		long[i] = fmt.Sprintf("use(%d)", i)
	}
	var out strings.Builder
	if err := measure(&out, fstest.MapFS{
		"a/a.go":             source("A", long...),
		"a/b.go":             source("B"),
		"a/a_test.go":        source("TestA"),
		"a/atest/fake.go":    source("Fake"),
		"c.go":               source("C"),
		"test/e2e/e.go":      source("E"),
		"a/testdata/x.go":    source("X"),
		".git/y.go":          source("Y"),
		"contest/product.go": source("P"),
		"README.md":          {Data: []byte("text\n")},
	}); err != nil {
		t.Fatal(err)
	}
	const want = `              lines  files  packages  files of 40 lines or fewer
     product     83      4         3                           3
  simulation     11      1         1                           1
       tests     22      2         2                           2

places of the product that repeat 6 lines or more of another: 0
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

func TestRepeats_EqualLines_AreFoundOnce(t *testing.T) {
	six := []string{"one()", "two()", "three()", "four()", "five()", "six()"}
	text := func(name string, statements ...string) file {
		return file{name, source(strings.ToUpper(name[:1]), statements...).Data}
	}
	for _, test := range []struct {
		name  string
		files []file
		want  []string
	}{
		{"five lines", []file{text("a.go", six[:5]...), text("b.go", append([]string{"zero()"}, six[:5]...)...)}, nil},
		{"other lines", []file{text("a.go", six...), text("b.go", "one()", "two()", "three()", "// four", "5()", "six()")}, nil},
		{"comments between", []file{text("a.go", six...), text("b.go", "one()", "two()", "// a comment", "", "three()", "four()", "five()", "six()")}, []string{"b.go:10-17 repeats a.go:10"}},
		{"alignment", []file{text("a.go", six...), text("b.go", "one()", "two()", "three()  ", "four()", "  five()", "six()")}, []string{"b.go:10-15 repeats a.go:10"}},
		{"three places", []file{text("a.go", six...), text("b.go", six...), text("c.go", six...)}, []string{"b.go:10-15 repeats a.go:10", "c.go:10-15 repeats a.go:10"}},
		{"one file", []file{text("a.go", append(append([]string{}, six...), six...)...)}, []string{"a.go:16-21 repeats a.go:10"}},
		{"imports", []file{text("a.go"), text("b.go")}, nil},
		{"the longest", []file{text("a.go", six...), text("b.go", append([]string{"zero()"}, six...)...), text("c.go", append([]string{"zero()"}, six...)...)},
			[]string{"b.go:11-16 repeats a.go:10", "c.go:10-16 repeats b.go:10"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, r := range repeats(test.files) {
				got = append(got, r.String())
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("places (-want +got):\n%s", diff)
			}
		})
	}
}
