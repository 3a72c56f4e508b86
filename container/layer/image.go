package layer

import "strings"

// splitImage splits the path of an image into its name and what holds that: a directory, or for BlockCIM a file or a
// device. A device such as \\.\PhysicalDrive2 has no backslash at its end, and the root of a volume has one.
func splitImage(path string, device bool) (dir, name string) {
	path = strings.TrimRight(strings.ReplaceAll(path, "/", `\`), `\`)
	at := strings.LastIndexByte(path, '\\')
	dir, name = strings.TrimRight(path[:max(at, 0)], `\`), path[at+1:]
	rest, long := strings.CutPrefix(dir, `\\?\`)
	if !device && (len(dir) == len(`C:`) || long && !strings.Contains(rest, `\`)) {
		dir += `\`
	}
	return dir, name
}
