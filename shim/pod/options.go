package pod

import (
	"fmt"
	"maps"
	"strconv"
	"strings"

	"github.com/Microsoft/hcsshim/pkg/annotations"
	api "github.com/containerd/containerd/api/runtime/sandbox/v1"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/runtime-spec/specs-go"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/siloshim/siloshim/container/plan"
)

// FromRequest makes the pod that CreateSandbox requests. Its kind is in the options if they are those of Kubernetes'
// runtime interface; otherwise it is in the annotations: the request's, then the bundle's, then the defaults. What
// cannot be used is [errdefs.ErrInvalidArgument].
func FromRequest(r *api.CreateSandboxRequest, defaults map[string]string) (*Pod, error) {
	switch {
	case len(r.Rootfs) > 0:
		return nil, fmt.Errorf("rootfs: the sandbox has no process that could use one: leave it out: %w", errdefs.ErrInvalidArgument)
	case r.BundlePath == "":
		return nil, fmt.Errorf("bundle_path is missing: name the sandbox's bundle: %w", errdefs.ErrInvalidArgument)
	}
	own, err := plan.Annotations(r.BundlePath)
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	for _, from := range []map[string]string{defaults, own, r.Annotations} {
		maps.Copy(all, from)
	}
	wanted, set, err := hostProcess(r.Options)
	if err != nil {
		return nil, err
	}
	if set {
		all[annotations.HostProcessContainer] = strconv.FormatBool(wanted)
	}
	s := &specs.Spec{Annotations: all, Windows: &specs.Windows{}}
	p := newPod(r.SandboxID, r.BundlePath, plan.IsHostProcess(s), all)
	p.SandboxAPI, p.network = true, r.NetnsPath
	if p.job {
		return p, plan.CheckPlaceholder(s)
	}
	return p, nil
}

// podConfigType is the message with which Kubernetes' runtime interface describes a sandbox.
//
// https://github.com/kubernetes/cri-api/blob/master/pkg/apis/runtime/v1/api.proto
const podConfigType = "runtime.v1.PodSandboxConfig"

// hostProcessField is the path to the one field that is used. The interface promises its numbers; its package would be a
// third of the shim.
var hostProcessField = []protowire.Number{
	9, // windows
	1, // security_context
	3, // host_process
}

// hostProcess reports whether the options of a sandbox request job containers. Without options set is false. Options of
// another type are [errdefs.ErrInvalidArgument].
//
// The annotations in the options are not read: the pod's author writes them, and containerd passes on only those that the
// operator allows.
func hostProcess(options *anypb.Any) (wanted, set bool, err error) {
	if options.GetTypeUrl() == "" && len(options.GetValue()) == 0 {
		return false, false, nil
	}
	url := options.GetTypeUrl()
	if url[strings.LastIndexByte(url, '/')+1:] != podConfigType {
		return false, false, fmt.Errorf("options are of type %q: use %s or none: %w", url, podConfigType, errdefs.ErrInvalidArgument)
	}
	var value uint64
	if err := lookup(options.GetValue(), hostProcessField, &value); err != nil {
		return false, false, fmt.Errorf("decode options of type %s: %w: %w", podConfigType, err, errdefs.ErrInvalidArgument)
	}
	return value != 0, true, nil
}

// lookup follows a path of field numbers through nested messages and sets value to the number at its end. As in all
// protocol buffers, the last of several values counts, and a missing one is 0.
func lookup(message []byte, path []protowire.Number, value *uint64) error {
	for len(message) > 0 {
		field, kind, size := protowire.ConsumeTag(message)
		if size < 0 {
			return protowire.ParseError(size)
		}
		message = message[size:]
		if size = protowire.ConsumeFieldValue(field, kind, message); size < 0 {
			return protowire.ParseError(size)
		}
		content := message[:size]
		message = message[size:]
		switch {
		case field != path[0]:
		case len(path) == 1 && kind == protowire.VarintType:
			*value, _ = protowire.ConsumeVarint(content)
		case len(path) > 1 && kind == protowire.BytesType:
			inner, _ := protowire.ConsumeBytes(content)
			if err := lookup(inner, path[1:], value); err != nil {
				return err
			}
		}
	}
	return nil
}
