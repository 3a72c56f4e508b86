package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/containerd/errdefs"
)

// Paths are Windows paths on every system, so path/filepath cannot be used.

func backslashes(path string) string { return strings.ReplaceAll(path, "/", `\`) }

// isAbs reports whether path does not depend on a working directory: a drive and a backslash, or the two backslashes of
// shares and devices.
func isAbs(path string) bool {
	path = backslashes(path)
	return strings.HasPrefix(path, `\\`) && len(path) > 2 || hasDrive(path) && len(path) > 2 && path[2] == '\\'
}

// hasDrive reports whether path begins with a drive letter.
func hasDrive(path string) bool {
	return len(path) >= 2 && path[1] == ':' && (path[0]|0x20) >= 'a' && (path[0]|0x20) <= 'z'
}

func join(dir, name string) string {
	return strings.TrimRight(dir, `\`) + `\` + strings.TrimLeft(name, `\`)
}

// base is the last element without the dots and spaces at its end, which Windows drops.
func base(path string) string {
	return strings.TrimRight(path[strings.LastIndexAny(path, `\:`)+1:], ". ")
}

// extension is the extension of the last element with its dot, in lower case, or "".
func extension(path string) string {
	name := base(path)
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		return strings.ToLower(name[i:])
	}
	return ""
}

// isPlain reports whether no element of a path is "..", a stream of a file, or changed by Windows.
func isPlain(path string) bool {
	for i, element := range strings.Split(path, `\`) {
		if strings.TrimRight(element, ". ") != element || i > 0 && strings.ContainsAny(element, `:*?"<>|`) {
			return false
		}
	}
	return true
}

// Beneath returns the part of path below dir, which begins with a backslash, or "" for dir itself. ok is false if path is
// elsewhere. dir has no backslash at its end.
func Beneath(dir, path string) (rest string, ok bool) {
	path = strings.TrimRight(path, `\`)
	if len(path) < len(dir) || !strings.EqualFold(path[:len(dir)], dir) {
		return "", false
	}
	rest = path[len(dir):]
	return rest, rest == "" || rest[0] == '\\'
}

// trimmed removes backslashes from the end of a host path, but not from the root of a drive or volume, which is another
// object without one.
func trimmed(path string) string {
	short := strings.TrimRight(path, `\`)
	if strings.HasSuffix(short, ":") || isLong(short) && strings.HasSuffix(short, "}") {
		return path
	}
	return short
}

// pipePrefix begins the path of every named pipe.
const pipePrefix = `\\.\pipe\`

func isDrive(path string) bool { return hasDrive(path) && len(path) == len("D:") }

func isPipe(path string) bool {
	return len(path) > len(pipePrefix) && strings.EqualFold(path[:len(pipePrefix)], pipePrefix)
}

func isDevice(path string) bool {
	return strings.HasPrefix(path, `\\.\`) || strings.HasPrefix(path, `\\?\`)
}

// isLong reports whether path is on a volume or drive in the form \\?\. Containerd's CRI names every directory of the
// host by its volume, \\?\Volume{GUID}\dir.
func isLong(path string) bool {
	rest, long := strings.CutPrefix(path, `\\?\`)
	const volume = "volume{"
	return long && (hasDrive(rest) && isAbs(rest) || len(rest) > len(volume) && strings.EqualFold(rest[:len(volume)], volume))
}

// nameCharacters are those of values that become part of the names of files, pipes and jobs. None has a meaning there.
const nameCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

// maxName is the longest such value.
const maxName = 76

func isName(s string) bool {
	return s != "" && len(s) <= maxName && !strings.ContainsRune("._-", rune(s[0])) && strings.Trim(s, nameCharacters) == ""
}

// isDeviceName reports whether Windows reserves a name for a device, in every directory and with any extension.
//
// https://learn.microsoft.com/windows/win32/fileio/naming-a-file
func isDeviceName(s string) bool {
	s, _, _ = strings.Cut(strings.ToLower(s), ".")
	if len(s) == len("com1") && s[3] >= '0' && s[3] <= '9' {
		s = s[:3] + "0"
	}
	return slices.Contains([]string{"con", "prn", "aux", "nul", "com0", "lpt0"}, s)
}

// ValidID checks a container or exec id. It returns [errdefs.ErrInvalidArgument].
func ValidID(id string) error { return ValidName("id", id) }

// ValidName checks the value of a field that becomes part of names. It returns [errdefs.ErrInvalidArgument].
func ValidName(field, value string) error {
	switch {
	case !isName(value):
		return fmt.Errorf("%s %q: use 1 to %d of A-Z a-z 0-9 . _ - and begin with a letter or digit: %w", field, value, maxName, errdefs.ErrInvalidArgument)
	case isDeviceName(value):
		return fmt.Errorf("%s %q: Windows reserves this name for a device: %w", field, value, errdefs.ErrInvalidArgument)
	case strings.HasSuffix(value, "."):
		return fmt.Errorf("%s %q: Windows drops the dot at the end: %w", field, value, errdefs.ErrInvalidArgument)
	}
	return nil
}
