package siloshim

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// pinned is an action by its commit, with the tag for readers and for the program that updates it.
var pinned = regexp.MustCompile(`^([\w-]+/[\w./-]+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)$`)

func TestWorkflows_Actions_ArePinnedByCommit(t *testing.T) {
	files, err := filepath.Glob(".github/workflows/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d workflows, %v", len(files), err)
	}
	commits := map[string]string{}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, use := range regexp.MustCompile(`(?m)^\s*(?:- )?uses:\s*(.*)$`).FindAllStringSubmatch(string(text), -1) {
			m := pinned.FindStringSubmatch(use[1])
			if m == nil {
				t.Errorf("%s: %q is not pinned by commit and tag", name, use[1])
				continue
			}
			if before := commits[m[1]]; before != "" && before != m[2] {
				t.Errorf("%s: %s is commit %s here and %s elsewhere", name, m[1], m[2], before)
			}
			commits[m[1]] = m[2]
		}
	}
	if len(commits) == 0 {
		t.Error("no workflow uses an action")
	}
}
