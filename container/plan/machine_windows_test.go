package plan

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"golang.org/x/sys/windows"
)

// The group after the last has no processors.
func TestMachine_Processors_CountsAllGroups(t *testing.T) {
	sum := 0
	for group := uint16(0); ; group++ {
		n := windows.GetActiveProcessorCount(group)
		if n == 0 {
			break
		}
		sum += int(n)
	}
	if h := (Machine{}).withDefaults(); h.Processors != sum || h.Build != windows.RtlGetVersion().BuildNumber {
		t.Errorf("%d processors and build %d, want %d and %d", h.Processors, h.Build, sum, windows.RtlGetVersion().BuildNumber)
	}
}

// Containerd names the sources of mounts by their volume.
func TestResolve_VolumePath_ReturnsDriveLetter(t *testing.T) {
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

// volumeOf is the name of the volume of a drive. If Wine does not return it, it has one of this form.
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

// The link is at the end of a path or in its middle.
func TestResolve_Links_ReturnsTarget(t *testing.T) {
	for kind, link := range map[string]func(t *testing.T, at, target string) (inside, below string){
		"symbolic link": symbolicLink, "junction": junction, "volume mount point": mountedVolume,
	} {
		t.Run(kind, func(t *testing.T) {
			base, err := resolve(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			target, at := filepath.Join(base, "target"), filepath.Join(base, "link")
			if err := os.MkdirAll(filepath.Join(target, "dir"), 0o755); err != nil {
				t.Fatal(err)
			}
			inside, below := link(t, at, target)
			for path, want := range map[string]string{
				at: inside, join(at, below): join(inside, below), `\\?\` + join(at, below): join(inside, below),
			} {
				if got, err := resolve(path); err != nil || !strings.EqualFold(strings.TrimRight(got, `\`), strings.TrimRight(want, `\`)) {
					t.Errorf("%s is %s, %v; want %s", path, got, err, want)
				}
			}
			if got, err := resolve(at + `\gone`); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("what is not there is %s, %v", got, err)
			}
		})
	}
}

// symbolicLink makes a symbolic link, or skips the test.
func symbolicLink(t *testing.T, at, target string) (inside, below string) {
	t.Helper()
	if err := os.Symlink(target, at); err != nil {
		t.Skipf("this user makes no symbolic links: %v", err)
	}
	if _, err := os.Stat(at); err != nil {
		t.Skip("symbolic links have no effect on this host")
	}
	return target, "dir"
}

// mountPointBuffer is the part of REPARSE_DATA_BUFFER before the names of a mount point.
//
//	typedef struct _REPARSE_DATA_BUFFER {
//	  ULONG ReparseTag; USHORT ReparseDataLength; USHORT Reserved;
//	  USHORT SubstituteNameOffset; USHORT SubstituteNameLength; USHORT PrintNameOffset; USHORT PrintNameLength; ...
//
// https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/ns-ntifs-_reparse_data_buffer
type mountPointBuffer struct {
	Tag                                                uint32
	Length, Reserved                                   uint16
	NameOffset, NameLength, PrintOffset, PrintedLength uint16
}

// junction makes a junction, or skips the test.
func junction(t *testing.T, at, target string) (inside, below string) {
	t.Helper()
	name := utf16.Encode([]rune(`\??\` + target + "\x00" + "\x00")) // the second name is empty
	head := mountPointBuffer{
		Tag: windows.IO_REPARSE_TAG_MOUNT_POINT, Length: uint16(8 + 2*len(name)),
		NameLength: uint16(2 * (len(name) - 2)), PrintOffset: uint16(2 * (len(name) - 1)),
	}
	data, err := binary.Append(nil, binary.LittleEndian, head)
	if err == nil {
		data, err = binary.Append(data, binary.LittleEndian, name)
	}
	if err == nil {
		err = os.Mkdir(at, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	path, err := windows.UTF16PtrFromString(at)
	if err != nil {
		t.Fatal(err)
	}
	h, err := windows.CreateFile(path, windows.GENERIC_WRITE, 0, nil, windows.OPEN_EXISTING,
		windows.FILE_FLAG_BACKUP_SEMANTICS|windows.FILE_FLAG_OPEN_REPARSE_POINT, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer windows.CloseHandle(h)
	var n uint32
	if err := windows.DeviceIoControl(h, windows.FSCTL_SET_REPARSE_POINT, &data[0], uint32(len(data)), nil, 0, &n, nil); err != nil {
		t.Skipf("this host makes no junctions: %v", err)
	}
	return target, "dir"
}

// mountedVolume mounts the volume of the system, or on Wine the directory target.
func mountedVolume(t *testing.T, at, target string) (inside, below string) {
	t.Helper()
	root := windowsDir()
	inside, below = root[:3], filepath.Base(root)
	volume := wineVolume(t, target)
	if volume != "" {
		inside, below = target, "dir"
	} else {
		volume = volumeOf(t, inside)
	}
	path, err := windows.UTF16PtrFromString(at + `\`)
	if err != nil {
		t.Fatal(err)
	}
	name, err := windows.UTF16PtrFromString(volume)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(at, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := windows.SetVolumeMountPoint(path, name); err != nil {
		t.Skipf("this user may not mount volumes: %v", err)
	}
	t.Cleanup(func() { // before the directory is removed, which on Wine would go on in the volume
		if err := windows.DeleteVolumeMountPoint(path); err != nil {
			t.Error(err)
		}
	})
	return inside, below
}

// wineVolume makes dir a volume for the mount points of the Wine test environment, which has a file for each volume. It
// returns "" elsewhere.
func wineVolume(t *testing.T, dir string) string {
	t.Helper()
	const home, name = `C:\gap`, "Volume{9d3e3f0a-59d6-4d0f-a7f6-04c1a5b3c001}"
	if _, err := os.Stat(home); err != nil {
		return ""
	}
	var text []byte
	for _, unit := range utf16.Encode([]rune(dir)) {
		text = binary.LittleEndian.AppendUint16(text, unit)
	}
	file := filepath.Join(home, "volume", name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, text, 0o600)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.Remove(file); err != nil {
			t.Error(err)
		}
	})
	return `\\?\` + name + `\`
}
