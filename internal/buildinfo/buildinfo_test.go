package buildinfo

import (
	"runtime/debug"
	"testing"
)

func TestOf_BuildInfo_VersionAndRevision(t *testing.T) {
	for _, c := range []struct {
		name              string
		info              debug.BuildInfo
		version, revision string
	}{
		{"nothing recorded", debug.BuildInfo{}, Unknown, Unknown},
		{"no revision", debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}}, "v1.2.3", Unknown},
		{"both", debug.BuildInfo{
			Main:     debug.Module{Version: "(devel)"},
			Settings: []debug.BuildSetting{{Key: "GOOS", Value: "windows"}, {Key: "vcs.revision", Value: "abc"}},
		}, "(devel)", "abc"},
	} {
		if version, revision := of(&c.info); version != c.version || revision != c.revision {
			t.Errorf("%s: %q %q, want %q %q", c.name, version, revision, c.version, c.revision)
		}
	}
}
