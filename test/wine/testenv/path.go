package testenv

import (
	"path/filepath"
	"strings"
)

// binWindows is the directory in the prefix that holds every executable the tests start.
const binWindows = `C:\silo\bin`

// WindowsPath gives the Windows form of an absolute Unix path: C:\ for files of the prefix, Z:\ for all others.
func (e *Env) WindowsPath(unix string) string {
	drive, rest := `Z:\`, strings.TrimPrefix(filepath.Clean(unix), "/")
	if rel, err := filepath.Rel(e.drive(), unix); err == nil && filepath.IsLocal(rel) {
		drive, rest = `C:\`, rel
	}
	if rest == "." { // the root of the drive itself
		rest = ""
	}
	return drive + strings.ReplaceAll(rest, "/", `\`)
}

// UnixPath gives the Unix form of an absolute Windows path with a drive letter.
func (e *Env) UnixPath(windows string) string {
	drive, rest, _ := strings.Cut(windows, ":")
	rest = strings.ReplaceAll(rest, `\`, "/")
	switch drive = strings.ToLower(drive); drive {
	case "c":
		return filepath.Join(e.drive(), rest)
	case "z":
		return filepath.Clean("/" + rest)
	default:
		return filepath.Join(e.path("prefix", "dosdevices"), drive+":", rest)
	}
}

// Exe is the Windows path of an executable that [Setup] or [Env.Build] installed, such as "ctr" or "payload".
func (e *Env) Exe(name string) string { return binWindows + `\` + name + ".exe" }

// drive is the Unix directory behind C:.
func (e *Env) drive() string { return e.path("prefix", "drive_c") }
