package bed

import (
	"path/filepath"
	"strings"
)

// binWindows is the directory in the prefix that holds every executable the tests start.
const binWindows = `C:\silo\bin`

// WindowsPath gives the Windows form of an absolute Unix path: C:\ for files of the prefix, Z:\ for all others.
func (b *Bed) WindowsPath(unix string) string {
	drive, rest := `Z:\`, strings.TrimPrefix(filepath.Clean(unix), "/")
	if rel, err := filepath.Rel(b.drive(), unix); err == nil && filepath.IsLocal(rel) {
		drive, rest = `C:\`, rel
	}
	if rest == "." { // the root of the drive itself
		rest = ""
	}
	return drive + strings.ReplaceAll(rest, "/", `\`)
}

// UnixPath gives the Unix form of an absolute Windows path with a drive letter.
func (b *Bed) UnixPath(windows string) string {
	drive, rest, _ := strings.Cut(windows, ":")
	rest = strings.ReplaceAll(rest, `\`, "/")
	switch drive = strings.ToLower(drive); drive {
	case "c":
		return filepath.Join(b.drive(), rest)
	case "z":
		return filepath.Clean("/" + rest)
	default:
		return filepath.Join(b.path("prefix", "dosdevices"), drive+":", rest)
	}
}

// Exe is the Windows path of an executable that [Setup] or [Bed.Build] installed, such as "ctr" or "payload".
func (b *Bed) Exe(name string) string { return binWindows + `\` + name + ".exe" }

// drive is the Unix directory behind C:.
func (b *Bed) drive() string { return b.path("prefix", "drive_c") }
