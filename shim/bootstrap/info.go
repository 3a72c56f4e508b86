package bootstrap

import (
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/containerd/containerd/api/types"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// Version is the shim's version. The build sets it; otherwise the module's version stands in.
var Version = ""

// build returns the version and the revision of the source.
func build() (version, revision string) {
	version, revision = Version, "unknown"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return or(version, "unknown"), revision
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			revision = s.Value
		}
	}
	return or(version, or(info.Main.Version, "unknown")), revision
}

// writeVersion answers -v in the form that containerd's own shims have.
func writeVersion(p Process) error {
	version, revision := build()
	_, err := fmt.Fprintf(p.Stdout, "%s:\n  Version:  %s\n  Revision: %s\n  Go version: %s\n\n",
		filepath.Base(p.Args[0]), version, revision, runtime.Version())
	return err
}

// writeInfo answers -info: a RuntimeInfo message that gives back the options from standard input, when they are
// options that the shim takes.
func writeInfo(p Process) error {
	data, err := io.ReadAll(io.LimitReader(p.Stdin, maxStdin))
	if err != nil {
		return fmt.Errorf("info: read standard input: %w", err)
	}
	if _, err := bareOptions(data); err != nil {
		return fmt.Errorf("info: %w", err)
	}
	version, revision := build()
	info := &types.RuntimeInfo{
		Name:    Runtime,
		Version: &types.RuntimeVersion{Version: version, Revision: revision},

		Annotations: map[string]string{mountsAnnotation: strings.Join(mountTypes, ",")},
	}
	if len(data) > 0 {
		info.Options = new(anypb.Any)
		if err := proto.Unmarshal(data, info.Options); err != nil {
			return fmt.Errorf("info: decode options: %w", err)
		}
	}
	out, err := proto.Marshal(info)
	if err != nil {
		return fmt.Errorf("info: encode: %w", err)
	}
	_, err = p.Stdout.Write(out)
	return err
}
