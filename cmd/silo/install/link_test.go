package install

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// Another user that may write beside a file can plant a link at the name that put writes first.
func TestPut_LinkAtItsDraft_TargetIsUnchanged(t *testing.T) {
	dir := t.TempDir()
	victim, path := filepath.Join(dir, "victim"), filepath.Join(dir, "x.toml")
	if err := os.WriteFile(victim, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, link := range []func(string, string) error{os.Symlink, os.Link} {
		if err := link(victim, path+".new"); err != nil {
			t.Skipf("this machine makes no links: %v", err)
		}
		undo, err := put(path, []byte("theirs"))
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(victim)
		if err != nil || string(text) != "mine" {
			t.Errorf("the target of the link has %q, %v", text, err)
		}
		info, err := os.Lstat(path)
		if err != nil || !info.Mode().IsRegular() {
			t.Errorf("%s is %v, %v, want a file", path, info, err)
		}
		if err := errors.Join(undo(), os.WriteFile(victim, []byte("mine"), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
}
