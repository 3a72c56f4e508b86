package hostprocess_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	sys "golang.org/x/sys/windows"

	"github.com/siloshim/siloshim/container/hostprocess"
)

func TestSystemFiles_KeptDirectories_FollowTheContract(t *testing.T) {
	filesSuite(t, hostprocess.SystemFiles(), t.TempDir())
}

func TestSystemAccounts_Lifecycle_FollowsTheContract(t *testing.T) {
	const probe = "silo-probe"
	if err := hostprocess.SystemAccounts().Create(probe, "A long password, 4 tests!", "Users", "A probe."); errors.Is(err, fs.ErrPermission) {
		t.Skip("this user cannot make accounts")
	}
	if err := hostprocess.SystemAccounts().Delete(probe); err != nil {
		t.Error(err)
	}
	accountsSuite(t, hostprocess.SystemAccounts())
}

// heldOpen opens a file or a directory like a virus scanner.
func heldOpen(t *testing.T, path string, access, share uint32) (close func()) {
	t.Helper()
	name, err := sys.UTF16PtrFromString(path)
	if err != nil {
		t.Fatal(err)
	}
	h, err := sys.CreateFile(name, access, share, nil, sys.OPEN_EXISTING,
		sys.FILE_FLAG_BACKUP_SEMANTICS, 0)
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := sys.CloseHandle(h); err != nil {
			t.Error(err)
		}
	}
}

// Unkeep removes the directory or returns [hostprocess.ErrHeld].
func TestSystemFiles_UnkeepHeldByAnotherProgram_ErrHeldThenRemoved(t *testing.T) {
	const all = sys.FILE_SHARE_READ | sys.FILE_SHARE_WRITE | sys.FILE_SHARE_DELETE
	files := hostprocess.SystemFiles()
	for name, open := range map[string]func(t *testing.T, dir string) (close func()){
		"the keeper": func(t *testing.T, dir string) func() {
			list, err := os.ReadDir(dir)
			if err != nil || len(list) != 1 {
				t.Fatalf("%d files, %v", len(list), err)
			}
			return heldOpen(t, filepath.Join(dir, list[0].Name()), sys.FILE_READ_ATTRIBUTES|sys.SYNCHRONIZE, all)
		},
		"the directory": func(t *testing.T, dir string) func() {
			return heldOpen(t, dir, sys.FILE_LIST_DIRECTORY|sys.SYNCHRONIZE, sys.FILE_SHARE_READ|sys.FILE_SHARE_WRITE)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "kept")
			keeper, err := files.Keep(dir)
			if err != nil {
				t.Fatal(err)
			}
			closed := open(t, dir)
			if err := files.Unkeep(dir); err != nil || !files.IsDir(dir) {
				t.Errorf("unkeep with an open keeper: %v", err)
			}
			if err := keeper.Close(); err != nil {
				t.Error(err)
			}
			if err := files.Unkeep(dir); !errors.Is(err, hostprocess.ErrHeld) && (err != nil || files.IsDir(dir)) {
				t.Errorf("the directory was not removed, error %v", err)
			}
			closed()
			if err := files.Unkeep(dir); err != nil || files.IsDir(dir) {
				t.Errorf("the directory was not removed: %v", err)
			}
		})
	}
}

// A shim that removes C:\hpc has it open for deletion while another shim lists it.
func TestSystemFiles_KeptWhileAnotherShimRemovesTheDirectory_ListsIt(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "hpc")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	closed := heldOpen(t, dir, sys.DELETE|sys.SYNCHRONIZE, sys.FILE_SHARE_READ|sys.FILE_SHARE_WRITE|sys.FILE_SHARE_DELETE)
	defer closed()
	missing := filepath.Join(dir, "container")
	list, err := hostprocess.SystemFiles().Kept(missing)
	if err != nil || len(list) != 1 || list[0] != missing {
		t.Errorf("Kept: %q, %v", list, err)
	}
}
