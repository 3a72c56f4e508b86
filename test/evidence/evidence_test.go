package main

import (
	"encoding/json"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/cmd/silo/command"
)

var update = flag.Bool("update", false, "write the goldens")

// madeUp is an upload that no host has made.
const madeUp = "testdata/made-up"

// pages are copies of made-up documents.
func pages(t *testing.T) (root string) {
	t.Helper()
	root = t.TempDir()
	if err := os.CopyFS(filepath.Join(root, "docs"), os.DirFS("testdata/docs")); err != nil {
		t.Fatal(err)
	}
	return root
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestApply_MadeUpUpload_PagesAsGolden(t *testing.T) {
	root := pages(t)
	var log strings.Builder
	if err := apply(&log, root, madeUp); err != nil {
		t.Fatal(err)
	}
	got := log.String() + "\n" + read(t, filepath.Join(root, "docs/evidence.md")) + "\n" + read(t, filepath.Join(root, "docs/unproved.md"))
	const golden = "testdata/made-up.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(read(t, golden), got); diff != "" {
		t.Errorf("%s (-want +got), -update writes it:\n%s", golden, diff)
	}
	if err := apply(&log, root, madeUp); err != nil {
		t.Fatal(err)
	}
	if again := log.String(); !strings.HasSuffix(got, read(t, filepath.Join(root, "docs/unproved.md"))) || strings.Count(again, "U5 is settled") != 1 {
		t.Errorf("a second apply finds a settled row again:\n%s", again)
	}
}

// The rows that stay do so for a reason each: broken once (U3), more than tests (U33), skipped everywhere (U60), and skipped on a
// build (U85).
func TestSettle_MadeUpUpload_SettlesWhatHeldOnEveryBuild(t *testing.T) {
	upload, err := readUpload(os.DirFS(madeUp))
	if err != nil {
		t.Fatal(err)
	}
	var settled, contradicted []string
	for _, v := range settle(assumptions(read(t, "testdata/docs/unproved.md")), upload) {
		if v.settled() {
			settled = append(settled, v.id)
		}
		if v.broken != nil {
			contradicted = append(contradicted, v.id)
		}
	}
	if diff := cmp.Diff([]string{"U5", "U25", "U34"}, settled); diff != "" {
		t.Errorf("settled (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"U3"}, contradicted); diff != "" {
		t.Errorf("contradicted (-want +got):\n%s", diff)
	}
}

// The made-up upload is of Server 2022 and 2025.
func TestSettle_RowNamesServer_NeedsItsBuild(t *testing.T) {
	upload, err := readUpload(os.DirFS(madeUp))
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{
		"a process limit": true, "a process limit on Server 2022 and 2025": true,
		"a process limit on Server 2019": false, "a process limit before Server 2016": false,
	} {
		list := settle([]assumption{{id: "U5", text: text, check: "limit 3"}}, upload)
		if got := len(list) == 1 && list[0].settled(); got != want {
			t.Errorf("%s: settled %v, want %v", text, got, want)
		}
	}
}

func TestReadUpload_NoWindows_Refused(t *testing.T) {
	const hostText, tests = `{"commit":"abc"}`, `{"Action":"pass","Package":"p","Test":"T"}`
	for want, files := range map[string][3]string{
		"is no Windows":       {hostText, `{"revision":"abc","os":"windows","windows":"10.0.1","emulation":"Wine 8"}`, tests},
		"no build of Windows": {hostText, `{"revision":"abc","os":"linux"}`, tests},
		"selftest is of":      {hostText, `{"revision":"abd","os":"windows","windows":"10.0.1"}`, tests},
		"test.json":           {hostText, `{"revision":"abc","os":"windows","windows":"10.0.1"}`, "FAIL"},
		"selftest.json":       {hostText, "", tests},
	} {
		tree := fstest.MapFS{}
		for i, name := range []string{hostFile, selftestFile, testFile} {
			tree["x/"+name] = &fstest.MapFile{Data: []byte(files[i])}
		}
		if _, err := readUpload(tree); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if _, err := readUpload(fstest.MapFS{}); err == nil {
		t.Error("an empty upload is accepted")
	}
}

func TestApply_Refused_PagesAreUnchanged(t *testing.T) {
	root := pages(t)
	path := filepath.Join(root, "docs", "evidence.md")
	if err := os.WriteFile(path, []byte("no marks\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	before := read(t, filepath.Join(root, "docs/unproved.md"))
	if err := apply(new(strings.Builder), root, madeUp); err == nil || !strings.Contains(err.Error(), "no marks") {
		t.Errorf("got %v", err)
	}
	if read(t, path) != "no marks\n" || read(t, filepath.Join(root, "docs/unproved.md")) != before {
		t.Error("a page was changed")
	}
}

// The documents of this repository have the form that apply reads.
func TestApply_RepositorysPages_CanBeRead(t *testing.T) {
	unproved := read(t, "../../docs/unproved.md")
	if got, want := len(assumptions(unproved)), len(regexp.MustCompile(`(?m)^\| U\d`).FindAllString(unproved, -1)); got != want || got == 0 {
		t.Errorf("%d rows of docs/unproved.md are read, and it has %d", got, want)
	}
	page := read(t, "../../docs/evidence.md")
	got, err := withEvidence(page, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(page, got); diff != "" {
		t.Errorf("an empty upload changes docs/evidence.md:\n%s", diff)
	}
	tests := 0
	for _, row := range assumptions(unproved) {
		if _, ok := testsOf(row.check); ok {
			tests++
		}
	}
	t.Logf("%d checks consist of tests", tests)
	if tests == 0 {
		t.Error("no check consists of tests")
	}
}

// The evidence is what silo prints.
func TestSelftest_OutputOfSilo_CanBeRead(t *testing.T) {
	var out strings.Builder
	app := command.System()
	app.Stdout, app.Stderr = &out, &out
	app.Main(t.Context(), "silo", []string{"selftest", "-o", "json"}) // on this system most trials are skipped or broken
	var s selftest
	decoder := json.NewDecoder(strings.NewReader(out.String()))
	if err := decoder.Decode(&s); err != nil {
		t.Fatalf("%v in %s", err, &out)
	}
	rows := map[string]bool{}
	for _, trial := range s.Trials {
		for _, row := range trial.Settles {
			rows[row] = true
		}
	}
	if s.OS == "" || s.Revision == "" || len(s.Trials) < 20 || len(rows) < 15 {
		t.Errorf("read %+v", s)
	}
	t.Logf("silo selftest settles %d of %d rows", len(rows), len(assumptions(read(t, "../../docs/unproved.md"))))
}

// All of the made-up upload says that it is.
func TestMadeUpUpload_EachHost_SaysSo(t *testing.T) {
	hosts, err := fs.Glob(os.DirFS(madeUp), "*/"+hostFile)
	if err != nil || len(hosts) == 0 {
		t.Fatalf("%d hosts, %v", len(hosts), err)
	}
	for _, name := range hosts {
		if !strings.Contains(read(t, filepath.Join(madeUp, name)), "made up for a test") {
			t.Errorf("%s does not say that it is made up", name)
		}
	}
}
