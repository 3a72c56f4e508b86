package main

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// stream is that of two cases that pass, one that is skipped, one that fails, and one that never ends.
const stream = `{"Action":"start","Package":"e2e"}
{"Action":"run","Test":"TestPause_RunningContainer_PrintsNothing"}
{"Action":"pass","Test":"TestPause_RunningContainer_PrintsNothing","Elapsed":1.5}
{"Action":"pass","Test":"TestPods/silo/stop"}
{"Action":"output","Test":"TestPods/silo/log","Output":"lost a line\n"}
{"Action":"fail","Test":"TestPods/silo/log"}
{"Action":"fail","Test":"TestPods/silo"}
{"Action":"fail","Test":"TestPods"}
{"Action":"skip","Test":"TestSandbox_JobContainers_ShareItsShim"}
{"Action":"output","Test":"TestKill","Output":"=== RUN TestKill\n"}
`

func TestKeep_TwoRuns_WritesResultsAndPages(t *testing.T) {
	root := t.TempDir()
	evidence := filepath.Join(root, "docs", "evidence.md")
	if err := os.Mkdir(filepath.Join(root, "docs"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(evidence, []byte("before\n<!-- make daemons -->\nold\n<!-- end -->\nafter\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	var progress strings.Builder
	if failed, err := keep(root, "2.0.14", "abc", strings.NewReader(stream), &progress); err != nil || !failed {
		t.Errorf("failed %t, %v, want a failure", failed, err)
	}
	if !strings.Contains(progress.String(), "lost a line") {
		t.Errorf("the output of the failed test is missing:\n%s", &progress)
	}
	if failed, err := keep(root, "2.4.2", "def", strings.NewReader(`{"Action":"pass","Test":"TestSandbox_JobContainers_ShareItsShim"}`), io.Discard); err != nil || failed {
		t.Errorf("failed %t, %v, want neither", failed, err)
	}
	const want = `before
<!-- make daemons -->
| containerd | 2.0.14 | 2.4.2 |
|---|---|---|
| tasks, by ` + "`ctr`" + ` | 1 of 2 cases |  |
| pods, by ` + "`crictl`" + `, with the default sandboxer | 1 of 2 cases |  |
| pods with the Sandbox API |  | all 1 cases |
<!-- end -->
after
`
	if got, err := os.ReadFile(evidence); err != nil || string(got) != want {
		t.Errorf("%v; evidence.md is\n%s\nwant\n%s", err, got, want)
	}
	page, err := os.ReadFile(filepath.Join(root, "docs", "containerd.md"))
	if err != nil || !strings.Contains(string(page), "| Pods/silo/log | fail |  |\n") || !strings.Contains(string(page), "| commit | abc | def |\n") {
		t.Errorf("%v; the page is\n%s", err, page)
	}
}

var update = flag.Bool("update", false, "write the pages of docs/containerd.json")

// The committed page and table are those of the committed results.
func TestPages_Committed_AreUpToDate(t *testing.T) {
	docs := filepath.Join("..", "..", "docs")
	all, err := load(filepath.Join(docs, "containerd.json"))
	if err != nil {
		t.Fatal(err)
	}
	page, evidence := filepath.Join(docs, "containerd.md"), filepath.Join(docs, "evidence.md")
	if *update {
		if err := os.WriteFile(page, all.page(), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := all.into(evidence); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string][]byte{page: all.page(), evidence: all.summary()} {
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(bytes.ReplaceAll(got, []byte("\r\n"), []byte("\n")), want) {
			t.Errorf("%s is out of date; make generate writes it", path)
		}
	}
}

func TestKeep_NoTest_Refused(t *testing.T) {
	if _, err := keep(t.TempDir(), "2.4.2", "def", strings.NewReader(`{"Action":"fail"}`), io.Discard); err == nil {
		t.Error("a run without a test was kept")
	}
}
