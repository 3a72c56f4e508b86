package bootstrap

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/containerd/containerd/api/types"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/internal/buildinfo"
)

// mountTypes are the mounts that the shim makes itself when a container is created with them. Containerd then leaves
// them alone: the process that mounts the layers of a container also unmounts them.
var mountTypes = []string{string(plan.WindowsLayer), string(plan.CimFS), string(plan.BlockCIM)}

// mountsAnnotation lists them in a RuntimeInfo message, for a containerd that does not read MountCapabilities.
//
// https://github.com/containerd/containerd/blob/main/docs/shim-capabilities.md
const mountsAnnotation = "containerd.io/runtime-allow-mounts"

// writeVersion writes the reply to -v in the form that containerd's own shims have.
func writeVersion(p Process) error {
	version, revision := buildinfo.Read()
	_, err := fmt.Fprintf(p.Stdout, "%s:\n  Version:  %s\n  Revision: %s\n  Go version: %s\n\n",
		filepath.Base(p.Args[0]), version, revision, runtime.Version())
	return err
}

// writeInfo writes the reply to -info: a RuntimeInfo message with the options from standard input, which must be
// options of the shim.
func writeInfo(p Process) error {
	data, err := readStdin(p)
	if err != nil {
		return fmt.Errorf("info: %w", err)
	}
	if _, err := bareOptions(data); err != nil {
		return fmt.Errorf("info: %w", err)
	}
	version, revision := buildinfo.Read()
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
