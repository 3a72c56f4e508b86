package hostprocess

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// A file of the image at the path of a mount is renamed; an empty directory or a link is removed.
func TestPortableFiles_Link_ReplacesOrRenames(t *testing.T) {
	files := portableFiles{}
	root, source := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(source, "f"), []byte("volume"), 0o600); err != nil {
		t.Fatal(err)
	}
	probe := filepath.Join(root, "probe")
	if err := os.Symlink(source, probe); err != nil || !files.IsDir(probe) {
		t.Skipf("this host makes no links: %v", err)
	}
	if err := errors.Join(os.MkdirAll(filepath.Join(root, "empty"), 0o700), os.MkdirAll(filepath.Join(root, "full", "d"), 0o700)); err != nil {
		t.Fatal(err)
	}
	for _, below := range []string{`\new\at\depth`, `\empty`, `\full`, `\probe`, `\new\at\once`, `\new\at\depth`} {
		if err := files.Link(root, below, source); err != nil {
			t.Errorf("%s: %v", below, err)
			continue
		}
		at := filepath.Join(append([]string{root}, fields(below)...)...)
		if text, err := os.ReadFile(filepath.Join(at, "f")); err != nil || string(text) != "volume" {
			t.Errorf("%s: %q, %v", below, text, err)
		}
	}
	if !files.IsDir(filepath.Join(root, "full.shadowed", "d")) {
		t.Error("what was in the way is gone")
	}
	if err := errors.Join(os.Remove(filepath.Join(root, "full")), os.MkdirAll(filepath.Join(root, "full", "e"), 0o700)); err != nil {
		t.Fatal(err)
	}
	for _, below := range []string{`\full`, `\`} { // the one was moved aside once; there is nothing beside the other
		if err := files.Link(root, below, source); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: %v, want ErrExist", below, err)
		}
	}
	if err := files.Link(root, `\empty\inside`, source); err == nil {
		t.Error("a link was made behind a link")
	}
	if left, err := os.ReadDir(source); err != nil || len(left) != 1 {
		t.Errorf("the volume has %v, %v", left, err)
	}
}
