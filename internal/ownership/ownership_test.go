package ownership

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

const sddl = "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;OW)"

func TestMakeAll_MissingDirectories_AreMade(t *testing.T) {
	path := filepath.Join(t.TempDir(), "silo", "run")
	for range 2 {
		if err := MakeAll(path, sddl); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || !info.IsDir() {
			t.Errorf("%v, %v", info, err)
		}
	}
}

func TestMakeDir_LinkOrFileAtThePath_ReturnsErrForeign(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := MakeDir(file, sddl); !errors.Is(err, ErrForeign) {
		t.Errorf("a file: %v", err)
	}
	makeLink(t, t.TempDir(), link)
	if err := MakeDir(link, sddl); !errors.Is(err, ErrForeign) {
		t.Errorf("a link: %v", err)
	}
}

func TestCheck_MissingPath_ReturnsErrNotExist(t *testing.T) {
	if err := Check(filepath.Join(t.TempDir(), "x")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// On other systems only root can make directories of other users.
func TestMakeAll_OfAnotherUser_ReturnsErrForeign(t *testing.T) {
	for _, theirs := range []string{"silo", "silo/run"} {
		dir := t.TempDir()
		path := filepath.Join(dir, "silo", "run")
		if err := os.MkdirAll(path, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(filepath.Join(dir, filepath.FromSlash(theirs)), 65534, 65534); err != nil {
			t.Skipf("this user cannot give files away: %v", err)
		}
		if err := MakeAll(path, sddl); !errors.Is(err, ErrForeign) {
			t.Errorf("%s of another user: %v", theirs, err)
		}
		if err := MakeDir(path, sddl); theirs == "silo/run" && !errors.Is(err, ErrForeign) {
			t.Errorf("%s of another user: %v", theirs, err)
		}
	}
}

// LocalSystem could be led elsewhere by a link that another user has made first.
func TestMakeAll_LinkOfAnotherUser_ReturnsErrForeign(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	link := filepath.Join(dir, "silo")
	makeLink(t, elsewhere, link)
	if err := os.Lchown(link, 65534, 65534); err != nil {
		t.Skipf("this user cannot give files away: %v", err)
	}
	if err := MakeAll(filepath.Join(link, "run"), sddl); !errors.Is(err, ErrForeign) {
		t.Error(err)
	}
	if entries, err := os.ReadDir(elsewhere); err != nil || len(entries) > 0 {
		t.Errorf("the link was followed: %v, %v", entries, err)
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
