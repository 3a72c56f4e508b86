package plan

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	winio "github.com/Microsoft/go-winio/pkg/fs"
	"golang.org/x/sys/windows"
)

// resolve follows links: symbolic ones, junctions and mounted volumes. It names files by their drive where there is one:
// containerd names them by their volume.
func resolve(path string) (string, error) {
	path = short(path)
	real, err := winio.ResolvePath(path)
	if _, missing := errors.AsType[*fs.PathError](err); err != nil && !missing {
		// The file is there, and the mount manager knows nothing of its disk: RAM disks and file systems in user mode.
		real, err = filepath.EvalSymlinks(path)
	}
	if err != nil {
		return "", err
	}
	return short(real), nil
}

// short is a path without the long form's prefix if it can do without.
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

// mountPoints lists where a volume is mounted; nowhere if that cannot be had.
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
	for end := slices.Index(text, 0); end > 0; end = slices.Index(text, 0) { // an empty one is behind the last
		list = append(list, windows.UTF16ToString(text[:end]))
		text = text[end+1:]
	}
	return list
}
