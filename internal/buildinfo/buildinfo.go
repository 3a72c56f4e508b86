// Package buildinfo has the version of the running executable, as the Go toolchain recorded it.
package buildinfo

import (
	"cmp"
	"runtime/debug"
)

// Unknown stands for what was not recorded.
const Unknown = "unknown"

// Read returns the version of the main module and the revision of its source, each [Unknown] where the build did not
// record it. A build from a working tree has the version "(devel)", or a pseudo-version.
func Read() (version, revision string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return Unknown, Unknown
	}
	return of(info)
}

func of(info *debug.BuildInfo) (version, revision string) {
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			revision = s.Value
		}
	}
	return cmp.Or(info.Main.Version, Unknown), cmp.Or(revision, Unknown)
}
