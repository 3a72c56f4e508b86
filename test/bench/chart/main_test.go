package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the pages of docs/performance.json")

// The committed pages are those of the committed results.
func TestDocuments_Committed_AreUpToDate(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "docs")
	all, err := read(filepath.Join(dir, "performance.json"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := documents(all)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		path := filepath.Join(dir, name)
		if *update {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got = bytes.ReplaceAll(got, []byte("\r\n"), []byte("\n"))
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s is out of date (-want +got); make generate writes it:\n%s", path, diff)
		}
	}
}
