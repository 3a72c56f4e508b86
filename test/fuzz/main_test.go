package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestMain is go test where the program under test runs it.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "test" {
		at := slices.Index(os.Args, "-fuzz")
		switch os.Args[at+1] {
		case "^FuzzGood$":
			fmt.Println(good)
		case "^FuzzBad$":
			fmt.Println("fuzz: elapsed: 0s, execs: 7 (7/sec), new interesting: 1 (total: 3)\n--- FAIL: FuzzBad (0.1s)\nFAIL")
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const good = `fuzz: elapsed: 0s, gathering baseline coverage: 0/192 completed
fuzz: elapsed: 0s, gathering baseline coverage: 192/192 completed, now fuzzing with 2 workers
fuzz: elapsed: 3s, execs: 325017 (108336/sec), new interesting: 11 (total: 202)
fuzz: elapsed: 10s, execs: 680218 (97173/sec), new interesting: 13 (total: 204)
PASS
ok  	example.com/a	10.1s`

func TestRun_ATargetFails_OthersRunAndTheTableNamesIt(t *testing.T) {
	root := t.TempDir()
	for path, text := range map[string]string{
		"a/a_test.go":            "package a\n\nfunc FuzzGood(f *testing.F) {}\n\nfunc FuzzBad(f *testing.F) {}\n\nfunc FuzzNothing(f *testing.F) {}\n",
		"a/testdata/x_test.go":   "package a\n\nfunc FuzzNotOurs(f *testing.F) {}\n",
		"module/go.mod":          "module other\n",
		"module/module_test.go":  "package module\n\nfunc FuzzNotOurs(f *testing.F) {}\n",
		"b/b.go":                 "package b\n\nfunc FuzzNotATest(f *testing.F) {}\n",
		"a/helper_test.go":       "package a\n\nfunc FuzzyHelper(t *testing.T) {}\n",
		".hidden/hidden_test.go": "package hidden\n\nfunc FuzzNotOurs(f *testing.F) {}\n",
	} {
		path = filepath.Join(root, path)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := (run{program: self, time: "10s"}).all(t.Context(), root, &out); err == nil || !strings.HasPrefix(err.Error(), "2 targets have failed") {
		t.Errorf("got %v, want that 2 have failed", err)
	}
	const want = `
package    target       executions  corpus  new  result
a          FuzzGood     680218      204     13   ok
a          FuzzBad      7           3       1    exit status 1
a          FuzzNothing  0           0       0    no execution was reported
3 targets               680225                   2 failed
`
	if !strings.HasSuffix(out.String(), want) {
		t.Errorf("got\n%s\nwant at its end\n%s", &out, want)
	}
	if err := (run{program: self, only: "None"}).all(t.Context(), root, &out); err == nil {
		t.Error("without a target it succeeded")
	}
}
