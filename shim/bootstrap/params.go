package bootstrap

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	bootapi "github.com/containerd/containerd/api/runtime/bootstrap/v1"
	"github.com/containerd/containerd/api/types"
	"github.com/containerd/errdefs"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// The shim serves the Task API v3 over ttrpc, and v2 as well.
const (
	protocol = "ttrpc"
	version3 = 3
)

// maxStdin bounds what containerd may write: options are a few hundred bytes.
const maxStdin = 1 << 20

// readStdin reads what containerd has written.
func readStdin(p Process) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(p.Stdin, maxStdin+1))
	if err != nil {
		return nil, fmt.Errorf("read standard input: %w", err)
	}
	if len(data) > maxStdin {
		return nil, fmt.Errorf("read standard input: more than %d bytes: %w", maxStdin, errdefs.ErrInvalidArgument)
	}
	return data, nil
}

// readParams makes the params from the command line, the environment and standard input.
//
// The content of standard input depends on the version of containerd:
//
//	nothing                  any, when the runtime has no options
//	an Any with the options  1.7 to 2.2
//	BootstrapParams          2.3 and later, the options among its extensions
func readParams(p Process, f flags) (Params, error) {
	params := Params{
		ID: f.id, Namespace: f.namespace, Bundle: f.bundle, GRPCAddress: f.address, PublishBinary: f.publishBinary,
		TTRPCAddress: p.Getenv("TTRPC_ADDRESS"), socket: f.socket,
	}
	data, err := readStdin(p)
	if err != nil {
		return params, err
	}
	params.stdin = data
	boot := bootParams(data, f)
	level := ""
	if boot != nil {
		params.modern = true
		params.TTRPCAddress = cmp.Or(boot.GetContainerdTtrpcAddress(), params.TTRPCAddress)
		params.GRPCAddress = cmp.Or(boot.GetContainerdGrpcAddress(), params.GRPCAddress)
		level = levelName(boot.GetLogLevel())
		params.Options, err = extensionOptions(boot)
	} else {
		params.Options, err = bareOptions(data)
	}
	if err != nil {
		return params, err
	}
	params.LogLevel = logLevel(f.debug, params.Options, level)
	return params, nil
}

// bootParams decodes BootstrapParams, or returns nil. An Any has the same fields in the same places, so only
// the names of container and namespace distinguish the two.
func bootParams(data []byte, f flags) *bootapi.BootstrapParams {
	var b bootapi.BootstrapParams
	if err := proto.Unmarshal(data, &b); err != nil || b.GetInstanceID() != f.id || b.GetNamespace() != f.namespace {
		return nil
	}
	return &b
}

// extensionOptions finds the runtime options among the extensions. Extensions of other types are not for the
// shim. Options of an unknown type come again with Create, which refuses them.
func extensionOptions(b *bootapi.BootstrapParams) (Options, error) {
	for _, e := range b.GetExtensions() {
		if isOptions(e.GetValue()) {
			return DecodeOptions(e.GetValue())
		}
	}
	return DecodeOptions(nil)
}

func bareOptions(data []byte) (Options, error) {
	if len(data) == 0 {
		return DecodeOptions(nil)
	}
	var options anypb.Any
	if err := proto.Unmarshal(data, &options); err != nil {
		return Options{}, fmt.Errorf("read standard input: neither BootstrapParams nor runtime options: %w", errdefs.ErrInvalidArgument)
	}
	return DecodeOptions(&options)
}

// reply is what start writes, in the newest form that this containerd reads:
//
//	BootstrapResult  2.3 and later; it sent BootstrapParams
//	JSON             those that set MAX_SHIM_VERSION to 3 or more and send no BootstrapParams
//	bare address     the others, as Task API v2. 1.7 refuses any higher version, and 2.0 to 2.2
//	                 cannot be distinguished from it: all of them set MAX_SHIM_VERSION to 2
//
// The bare form ends without a line feed: containerd takes it as it is.
func reply(p Params, maxVersion, address string) ([]byte, error) {
	if p.modern {
		r := &bootapi.BootstrapResult{Version: version3, Address: address, Protocol: protocol}
		// Without this extension containerd starts the shim once more, with -info.
		if err := r.AddExtension(&types.MountCapabilities{Types: mountTypes}); err != nil {
			return nil, fmt.Errorf("encode the reply: %w", err)
		}
		return proto.Marshal(r)
	}
	if n, err := strconv.Atoi(maxVersion); err == nil && n >= version3 {
		return json.Marshal(struct {
			Version  int    `json:"version"`
			Address  string `json:"address"`
			Protocol string `json:"protocol"`
		}{version3, address, protocol})
	}
	return []byte(address), nil
}

// logLevel chooses the level: that of the options, then debug, then that of containerd.
func logLevel(debug bool, o Options, requested string) string {
	switch {
	case o.LogLevel != "":
		return o.LogLevel
	case debug || o.Debug:
		if requested == "trace" {
			return requested
		}
		return "debug"
	case requested != "":
		return requested
	}
	return "info"
}

// levelName maps the open range of levels to the nearest name.
func levelName(l bootapi.LogLevel) string {
	switch {
	case l <= bootapi.LogLevel_LOG_LEVEL_TRACE:
		return "trace"
	case l <= bootapi.LogLevel_LOG_LEVEL_DEBUG:
		return "debug"
	case l <= bootapi.LogLevel_LOG_LEVEL_INFO:
		return "info"
	case l <= bootapi.LogLevel_LOG_LEVEL_WARN:
		return "warning"
	}
	return "error"
}
