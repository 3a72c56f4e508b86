package siloshim

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// TestSpecification holds SPECIFICATION.md to tests that there are.
func TestSpecification(t *testing.T) {
	text, err := os.ReadFile("SPECIFICATION.md")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`([a-z0-9/.]+)` `(Test[A-Za-z0-9_]+)` \\|").FindAllSubmatch(text, -1)
	rows := bytes.Count(text, []byte("\n| ")) - bytes.Count(text, []byte("\n| promise "))
	if rows != len(named) || rows == 0 {
		t.Errorf("%d promises name %d tests", rows, len(named))
	}
	for _, n := range named {
		files, err := filepath.Glob(filepath.Join(filepath.FromSlash(string(n[1])), "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, f := range files {
			source, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			found = found || bytes.Contains(source, append([]byte("\nfunc "), append(n[2], "(t *testing.T)"...)...))
		}
		if !found {
			t.Errorf("%s has no %s", n[1], n[2])
		}
	}
}
