package hostprocess

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/siloshim/siloshim/internal/pipe"
	"github.com/siloshim/siloshim/internal/winsys"
)

// SystemFiles has the files and volumes of this machine.
func SystemFiles() Files { return systemFiles{} }

type systemFiles struct{ portableFiles }

// See https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-setvolumemountpointw.
func (systemFiles) Mount(volume, dir string) error {
	paths, err := winsys.Strings(asMountPoint(dir), asMountPoint(volume))
	if err != nil {
		return err
	}
	if err := guardedDir(dir); err != nil {
		return err
	}
	if err := windows.SetVolumeMountPoint(paths[0], paths[1]); err != nil {
		return errors.Join(&fs.PathError{Op: "mount volume at", Path: dir, Err: err}, os.Remove(dir))
	}
	return nil
}

// See https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-deletevolumemountpointw.
func (systemFiles) Unmount(dir string) error {
	at, err := windows.UTF16PtrFromString(asMountPoint(dir))
	if err != nil {
		return err
	}
	err = windows.DeleteVolumeMountPoint(at)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil && !errors.Is(err, windows.ERROR_NOT_A_REPARSE_POINT) && !errors.Is(err, windows.ERROR_INVALID_PARAMETER):
		return &fs.PathError{Op: "unmount volume at", Path: dir, Err: err}
	}
	return ignoreNotExist(os.Remove(dir)) // no volume is mounted there
}

// guard lets SYSTEM and administrators write, and other users read. By default a directory in the root of a drive is
// writable for every user.
const guard = "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;GRGX;;;AU)"

// guardedDir makes a directory with the access rights of guard.
func guardedDir(dir string) error {
	name, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return err
	}
	attributes, err := pipe.SecurityAttributes(guard)
	if err != nil {
		return err
	}
	if err := windows.CreateDirectory(name, attributes); err != nil {
		return &fs.PathError{Op: "mkdir", Path: dir, Err: err}
	}
	return nil
}

// asMountPoint is a directory or a volume with the backslash at its end that the functions for mount points need.
func asMountPoint(path string) string { return strings.TrimRight(path, `\`) + `\` }

// keeper begins the names of the files that keep a directory. Windows deletes such a file when its one handle closes,
// also when the process dies. So a directory without such a file is not kept. If another program has the file open as
// well, it stays until that program closes it.
const keeper = ".silo-"

// keeping is the open handle of a keeper.
type keeping struct{ *os.File }

// Close deletes the name of the file at once, even if another program has it open. That needs Windows 10 1709 and NTFS.
//
//	BOOL SetFileInformationByHandle(HANDLE hFile, FILE_INFO_BY_HANDLE_CLASS FileInformationClass,
//	    LPVOID lpFileInformation, DWORD dwBufferSize)
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ntddk/ns-ntddk-_file_disposition_information_ex
func (k keeping) Close() error {
	flags := uint32(windows.FILE_DISPOSITION_DELETE | windows.FILE_DISPOSITION_POSIX_SEMANTICS)
	_ = windows.SetFileInformationByHandle(windows.Handle(k.Fd()), windows.FileDispositionInfoEx,
		(*byte)(unsafe.Pointer(&flags)), uint32(unsafe.Sizeof(flags))) // elsewhere the last handle deletes the file
	return k.File.Close()
}

func (systemFiles) Kept(dir string) (list []string, err error) {
	for i := range len(dir) {
		if dir[i] != '\\' || i <= len(`C:`) {
			continue
		}
		if list, err = appendKept(list, dir[:i]); err != nil {
			return nil, err
		}
	}
	return appendKept(list, strings.TrimRight(dir, `\`))
}

func appendKept(list []string, dir string) ([]string, error) {
	entries, err := readDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return append(list, dir), nil
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), keeper) {
			return append(list, dir), nil
		}
	}
	return list, err
}

// readDir lists a directory that another shim may be removing. os.ReadDir does not share deletion: it would fail with a
// sharing violation then.
func readDir(dir string) ([]os.DirEntry, error) {
	name, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return nil, err
	}
	h, err := windows.CreateFile(name, windows.FILE_LIST_DIRECTORY, windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE|windows.FILE_SHARE_DELETE,
		nil, windows.OPEN_EXISTING, windows.FILE_FLAG_BACKUP_SEMANTICS, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "list", Path: dir, Err: err}
	}
	f := os.NewFile(uintptr(h), dir)
	defer f.Close()
	return f.ReadDir(-1)
}

// Keep implements [Files]. Another process may remove the directory before the keeper exists, so it tries several times.
func (systemFiles) Keep(dir string) (io.Closer, error) {
	const attempts = 5
	name, err := windows.UTF16PtrFromString(dir + `\` + keeper + rand.Text())
	if err != nil {
		return nil, err
	}
	for n := 1; ; n++ {
		if err := guardedDir(dir); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		h, err := windows.CreateFile(name, windows.DELETE, windows.FILE_SHARE_DELETE, nil, windows.CREATE_NEW,
			windows.FILE_ATTRIBUTE_HIDDEN|windows.FILE_FLAG_DELETE_ON_CLOSE, 0)
		if err == nil {
			return keeping{os.NewFile(uintptr(h), dir)}, nil
		}
		if n == attempts || !errors.Is(err, windows.ERROR_PATH_NOT_FOUND) {
			return nil, &fs.PathError{Op: "keep", Path: dir, Err: err}
		}
	}
}

func (systemFiles) Unkeep(dir string) error {
	err := os.Remove(dir)
	if !errors.Is(err, windows.ERROR_DIR_NOT_EMPTY) && !errors.Is(err, windows.ERROR_SHARING_VIOLATION) {
		return ignoreNotExist(err)
	}
	if inUse(dir) {
		return nil // the process that uses it removes it
	}
	return fmt.Errorf("%w: %w", ErrHeld, err)
}

// inUse reports whether a directory contains anything but closed keepers.
func inUse(dir string) bool {
	entries, err := readDir(dir)
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), keeper) || keeps(dir+`\`+e.Name()) {
			return true
		}
	}
	return err != nil
}

// keeps reports whether the handle of a keeper is open. That handle does not share reading. A keeper that is only held by
// another program cannot be opened at all, because its deletion is pending.
func keeps(file string) bool {
	name, err := windows.UTF16PtrFromString(file)
	if err != nil {
		return true
	}
	h, err := windows.CreateFile(name, windows.FILE_READ_DATA, windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE|windows.FILE_SHARE_DELETE,
		nil, windows.OPEN_EXISTING, 0, 0)
	if err == nil {
		_ = windows.CloseHandle(h) // it was opened only to test
	}
	return errors.Is(err, windows.ERROR_SHARING_VIOLATION)
}

func ignoreNotExist(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
