package logfile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The user of a container may write to the directory of its log, while LocalSystem writes the log.
func TestOpen_LinkAtTheLog_IsRefused(t *testing.T) {
	for name, link := range map[string]func(t *testing.T, target, at string){"symbolic": makeLink, "hard": makeHardLink} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			victim, path := filepath.Join(dir, "victim"), filepath.Join(dir, "x.log")
			if err := os.WriteFile(victim, []byte("mine"), 0o600); err != nil {
				t.Fatal(err)
			}
			link(t, victim, path)
			f, err := Open(path, Options{})
			if err == nil {
				_, _ = f.Write([]byte("theirs\n"))
				f.Close()
			}
			if err == nil || !strings.Contains(err.Error(), "link") {
				t.Errorf("%v, want an error that names the link", err)
			}
			if text, err := os.ReadFile(victim); err != nil || string(text) != "mine" {
				t.Errorf("the target of the link has %q, %v", text, err)
			}
		})
	}
}

func TestFile_LinkAtTheNextFile_TargetIsUnchanged(t *testing.T) {
	dir := t.TempDir()
	victim, path := filepath.Join(dir, "victim"), filepath.Join(dir, "x.log")
	if err := os.WriteFile(victim, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, planted := range []string{rotatedName(path, 1), rotatedName(path, 1) + timesSuffix, rotatedName(path, 2) + timesSuffix} {
		makeLink(t, victim, planted)
	}
	f, err := Open(path, Options{MaxSize: 10, MaxFiles: 1, Times: true})
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if _, err := f.Write([]byte("theirs...\n")); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(victim); err != nil || string(text) != "mine" {
		t.Errorf("the target of the links has %q, %v", text, err)
	}
}

// makeLink makes a symbolic link. It skips the test where there are none, and on Wine, which shows what they lead to.
func makeLink(t *testing.T, target, at string) {
	t.Helper()
	if err := os.Symlink(target, at); err != nil {
		t.Skipf("this machine makes no links: %v", err)
	}
	if info, err := os.Lstat(at); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Skipf("this machine shows no links: %v, %v", info, err)
	}
}

// makeHardLink gives a file another name.
func makeHardLink(t *testing.T, target, at string) {
	t.Helper()
	if err := os.Link(target, at); err != nil {
		t.Fatal(err)
	}
}
