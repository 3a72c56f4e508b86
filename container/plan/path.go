package plan

import "strings"

// Paths here are Windows paths wherever the code runs, so path/filepath is of no use.

func backslashes(path string) string { return strings.ReplaceAll(path, "/", `\`) }

// isAbs reports whether path names the same place whatever the working directory: a drive with a backslash,
// or two backslashes as of shares and devices.
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

// base is the last element, without the dots and spaces that Windows drops from its end.
func base(path string) string {
	return strings.TrimRight(path[strings.LastIndexAny(path, `\:`)+1:], ". ")
}

// extension begins with the last dot of the last element, in lower case, or is "".
func extension(path string) string {
	name := base(path)
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		return strings.ToLower(name[i:])
	}
	return ""
}

// isPlain reports whether a path means what it says: no element of it leads up, and none is a stream of a file.
func isPlain(path string) bool {
	for i, element := range strings.Split(path, `\`) {
		if strings.TrimRight(element, ". ") != element || i > 0 && strings.ContainsAny(element, `:*?"<>|`) {
			return false
		}
	}
	return true
}

// Beneath gives the part of path that is below dir, with its backslash, or "" for dir itself.
func Beneath(dir, path string) (rest string, ok bool) {
	path = strings.TrimRight(path, `\`)
	if len(path) < len(dir) || !strings.EqualFold(path[:len(dir)], dir) {
		return "", false
	}
	rest = path[len(dir):]
	return rest, rest == "" || rest[0] == '\\'
}
