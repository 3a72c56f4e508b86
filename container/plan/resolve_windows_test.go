package plan

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/windows"
)

// TestResolveNamesFilesByTheirDrive: containerd names the sources of mounts by their volume.
func TestResolveNamesFilesByTheirDrive(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	volume := volumeOf(t, dir[:3])
	for _, path := range []string{dir, `\\?\` + dir, volume + dir[3:]} {
		got, err := resolve(path)
		if err != nil || !strings.EqualFold(got, dir) {
			t.Errorf("%s is %s, %v; want %s", path, got, err, dir)
		}
	}
	for _, path := range []string{volume, `\\?\Volume{9d3e3f0a-59d6-4d0f-a7f6-04c1a5b3c001}`, `\\?\Volume{9d3e3f0a-59d6-4d0f-a7f6-04c1a5b3c001}\x`, `\\server\x`} {
		if got, want := short(path), map[bool]string{true: dir[:3], false: path}[path == volume]; !strings.EqualFold(got, want) {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
	if _, err := resolve(volume + dir[3:] + `\gone`); !os.IsNotExist(err) {
		t.Errorf("what is not there: %v", err)
	}
}

// volumeOf names the volume of a drive. Wine may not tell, but has these.
func volumeOf(t *testing.T, drive string) string {
	t.Helper()
	at, err := windows.UTF16PtrFromString(drive)
	if err != nil {
		t.Fatal(err)
	}
	name := make([]uint16, 50)
	err = windows.GetVolumeNameForVolumeMountPoint(at, &name[0], uint32(len(name)))
	if err == nil {
		return windows.UTF16ToString(name)
	}
	volume := fmt.Sprintf(`\\?\Volume{00000000-0000-0000-0000-0000000000%02x}\`, drive[0])
	if len(mountPoints(volume)) == 0 {
		t.Skipf("the volume of %s has no name: %v", drive, err)
	}
	return volume
}
