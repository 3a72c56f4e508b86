package testenv

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// Daemons are the versions of containerd that the tests run with. [Setup] builds the first.
var Daemons = []string{"2.4.2", "2.3.7", "2.2.9", "2.1.9", "2.0.14", "1.7.35"}

// DaemonKey is the environment variable that chooses one of [Daemons].
const DaemonKey = "BED_CONTAINERD"

// BuildDaemons builds containerd.exe and ctr.exe of each given version, or of all, and installs them. The names of the
// first version's executables are plain; the others end with the version.
func BuildDaemons(ctx context.Context, out io.Writer, versions ...string) error {
	e, err := locate()
	if err != nil {
		return err
	}
	if len(versions) == 0 {
		versions = Daemons
	}
	for _, v := range versions {
		if !slices.Contains(Daemons, v) {
			return fmt.Errorf("build containerd %s: unknown version; there are %s", v, strings.Join(Daemons, ", "))
		}
		if err := e.fetch(ctx, out, daemonBuild(v)); err != nil {
			return err
		}
	}
	return nil
}

// daemonBuild describes how to build a version of containerd.
func daemonBuild(version string) foreign {
	f := foreign{
		name: "containerd" + daemonSuffix(version), module: "github.com/containerd/containerd/v2", version: "v" + version,
		pkgs: []string{"cmd/containerd", "cmd/ctr"}, suffix: daemonSuffix(version),
	}
	if strings.HasPrefix(version, "1.") {
		f.module = "github.com/containerd/containerd"
	}
	return f
}

// daemonSuffix is the end of the names of a version's executables.
func daemonSuffix(version string) string {
	if version == Daemons[0] {
		return ""
	}
	return "-" + version
}

// daemonExe is the executable "containerd" or "ctr" of the version that the environment chooses.
func (e *Env) daemonExe(name string) (string, error) {
	version := os.Getenv(DaemonKey)
	if version == "" {
		version = Daemons[0]
	}
	exe := e.Exe(name + daemonSuffix(version))
	if _, err := os.Stat(e.UnixPath(exe)); err != nil {
		return "", fmt.Errorf("%s=%s: it is not built: run wine daemons %s: %w", DaemonKey, version, version, err)
	}
	return exe, nil
}

// configVersion is the version of the configuration file that the daemon reads without a migration.
func configVersion() int {
	if strings.HasPrefix(os.Getenv(DaemonKey), "1.") {
		return 2
	}
	return 3
}
