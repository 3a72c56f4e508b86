package plan

import (
	"errors"
	"io/fs"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	winio "github.com/Microsoft/go-winio/pkg/fs"
	"golang.org/x/sys/windows"
)

// processors counts the processors of all groups. [runtime.NumCPU] counts those of one group, which on a machine with
// more than 64 is not all.
//
//	DWORD GetActiveProcessorCount(WORD GroupNumber);
//
// https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-getactiveprocessorcount
func processors() int {
	if n := windows.GetActiveProcessorCount(windows.ALL_PROCESSOR_GROUPS); n > 0 {
		return int(n)
	}
	return runtime.NumCPU()
}

// build is the build of the kernel, which does not depend on the manifest of this program.
func build() uint32 { return windows.RtlGetVersion().BuildNumber }

// resolve follows symbolic links, junctions and volume mount points. It returns a path with a drive letter if the volume
// has one, since containerd's CRI names files by their volume.
func resolve(path string) (string, error) {
	path = short(path)
	real, err := winio.ResolvePath(path)
	if _, missing := errors.AsType[*fs.PathError](err); err != nil && !missing {
		// The file exists, but its disk is not registered with the mount manager: RAM disks, user-mode file systems.
		real, err = filepath.EvalSymlinks(path)
	}
	if err != nil {
		return "", err
	}
	return short(real), nil
}

// short removes the prefix \\?\ from a path that is valid without it.
func short(path string) string {
	rest, long := strings.CutPrefix(path, `\\?\`)
	switch {
	case !long:
		return path
	case hasDrive(rest):
		return rest
	}
	volume, below, ok := strings.Cut(rest, `\`)
	if !ok {
		return path
	}
	for _, at := range mountPoints(`\\?\` + volume + `\`) {
		if len(at) == len(`C:\`) {
			return at + below
		}
	}
	return path
}

// mountPoints lists the paths where a volume is mounted. It is empty after an error.
//
// https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-getvolumepathnamesforvolumenamew
func mountPoints(volume string) (list []string) {
	name, err := windows.UTF16PtrFromString(volume)
	if err != nil {
		return nil
	}
	text := make([]uint16, windows.MAX_PATH)
	n := uint32(len(text))
	err = windows.GetVolumePathNamesForVolumeName(name, &text[0], n, &n)
	if errors.Is(err, windows.ERROR_MORE_DATA) {
		text = make([]uint16, n)
		err = windows.GetVolumePathNamesForVolumeName(name, &text[0], n, &n)
	}
	if err != nil {
		return nil
	}
	for end := slices.Index(text, 0); end > 0; end = slices.Index(text, 0) { // an empty one ends the list
		list = append(list, windows.UTF16ToString(text[:end]))
		text = text[end+1:]
	}
	return list
}
