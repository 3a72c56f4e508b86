package sim_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	sandbox "github.com/containerd/containerd/api/runtime/sandbox/v1"
	api "github.com/containerd/containerd/api/runtime/task/v3"
	apitypes "github.com/containerd/containerd/api/types"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/siloshim/siloshim/test/sim"
)

// input is read as requests. Behind its end it is zeros.
type input []byte

func (in *input) byte() (b byte) {
	if len(*in) > 0 {
		b, *in = (*in)[0], (*in)[1:]
	}
	return b
}

// bytes are up to 63 of the input.
func (in *input) bytes() []byte {
	n := min(int(in.byte())&63, len(*in))
	b := (*in)[:n]
	*in = (*in)[n:]
	return b
}

func (in *input) number() uint32 {
	return binary.LittleEndian.Uint32([]byte{in.byte(), in.byte(), 0, in.byte()})
}

// one is one of the texts, or with a high byte text of the input.
func (in *input) one(texts ...string) string {
	n := in.byte()
	if n >= 0xF0 {
		return strings.ToValidUTF8(string(in.bytes()), "?")
	}
	return texts[int(n)%len(texts)]
}

func (in *input) task() string { return in.one("a", "b", "p") }
func (in *input) exec() string { return in.one("", "", "x", "y", "a") }

// stream is where a stream leads: nowhere, or to what cannot be opened. Text of the input could name a file or a program.
func (in *input) stream() string {
	return []string{"", "", "", "/missing/socket", "npipe://server/pipe/x", "file://", "file:///", "binary://?x", "binary:///?%zz", "fifo:///x", "%", "\x00"}[int(in.byte())%12]
}

// any is a message of some type with JSON or bytes of the input.
func (in *input) any(json ...string) *anypb.Any {
	url := in.one(sim.ResourcesURL, "types.containerd.io/opencontainers/runtime-spec/1/Process", "containerd.runhcs.v1.Options", "runtimeoptions.v1.Options", "")
	if n := in.byte(); n < 0xC0 {
		return &anypb.Any{TypeUrl: url, Value: []byte(json[int(n)%len(json)])}
	}
	if value := in.bytes(); len(value) > 0 && !strings.Contains(url, "runtimeoptions") { // those may name a file to read
		return &anypb.Any{TypeUrl: url, Value: value}
	}
	return nil
}

// fuzzCall is one request.
type fuzzCall struct {
	service, method string
	request         proto.Message
}

func (c fuzzCall) String() string {
	if raw, is := c.request.(*emptypb.Empty); is { // protobuf cannot print what it cannot parse
		return fmt.Sprintf("%s %x", c.method, raw.ProtoReflect().GetUnknown())
	}
	return fmt.Sprintf("%s %v", c.method, c.request)
}

// The services.
const (
	tasksV3, tasksV2 = "containerd.task.v3.Task", "containerd.task.v2.Task"
	sandboxes        = "containerd.runtime.sandbox.v1.Sandbox"
)

// server is the place of the bundle of a Windows Server container.
const server = 4

// next reads one request. bundles are directories that a request may name.
func (in *input) next(bundles []string) fuzzCall {
	bundle := bundles[int(in.byte())%len(bundles)]
	process := []string{
		`{"args":["C:\\bin\\workload.exe","sleep"],"cwd":"C:\\"}`, `{"args":["C:\\bin\\workload.exe"],"cwd":"C:\\","env":["A=1"],"terminal":true}`,
		`{"args":["missing.exe"],"cwd":"C:\\"}`, `{"args":[]}`, `null`, `{"args":["`, `{"commandLine":"C:\\bin\\workload.exe \"","cwd":"C:\\"}`,
	}
	resources := []string{`{}`, `{"memory":{"limit":1048576}}`, `{"cpu":{"maximum":5000,"count":1}}`, `{"cpu":{"affinity":[{"mask":1}]}}`, `{"storage":{"iops":1}}`, `[]`}
	calls := []func() fuzzCall{
		func() fuzzCall {
			return fuzzCall{tasksV3, "Create", &api.CreateTaskRequest{ID: in.task(), Bundle: bundle, Terminal: in.byte() > 0xE0, Stdin: in.stream(), Stdout: in.stream(), Stderr: in.stream(), Options: in.any("", `{}`)}}
		},
		func() fuzzCall {
			if bundle != bundles[server] {
				bundle = bundles[0]
			}
			return fuzzCall{tasksV3, "Create", &api.CreateTaskRequest{ID: in.task(), Bundle: bundle}}
		},
		func() fuzzCall {
			return fuzzCall{tasksV3, "Start", &api.StartRequest{ID: in.task(), ExecID: in.exec()}}
		},
		func() fuzzCall {
			return fuzzCall{tasksV3, "Start", &api.StartRequest{ID: in.task(), ExecID: in.exec()}}
		},
		func() fuzzCall {
			return fuzzCall{tasksV3, "Exec", &api.ExecProcessRequest{ID: in.task(), ExecID: in.exec(), Terminal: in.byte() > 0xE0, Stdin: in.stream(), Stdout: in.stream(), Stderr: in.stream(), Spec: in.any(process...)}}
		},
		func() fuzzCall {
			return fuzzCall{tasksV3, "Exec", &api.ExecProcessRequest{ID: in.task(), ExecID: in.exec(), Spec: &anypb.Any{Value: []byte(process[0])}}}
		},
		func() fuzzCall {
			return fuzzCall{tasksV3, "Kill", &api.KillRequest{ID: in.task(), ExecID: in.exec(), Signal: in.number(), All: in.byte() > 0x80}}
		},
		func() fuzzCall {
			return fuzzCall{tasksV3, "Kill", &api.KillRequest{ID: in.task(), ExecID: in.exec(), Signal: 9}}
		},
		func() fuzzCall {
			return fuzzCall{tasksV3, "Delete", &api.DeleteRequest{ID: in.task(), ExecID: in.exec()}}
		},
		func() fuzzCall { return fuzzCall{tasksV3, "Pause", &api.PauseRequest{ID: in.task()}} },
		func() fuzzCall { return fuzzCall{tasksV3, "Resume", &api.ResumeRequest{ID: in.task()}} },
		func() fuzzCall {
			return fuzzCall{tasksV3, "Update", &api.UpdateTaskRequest{ID: in.task(), Resources: in.any(resources...), Annotations: map[string]string{in.one("io.siloshim.best-effort", "x"): in.one("true", "")}}}
		},
		func() fuzzCall { return fuzzCall{tasksV3, "Stats", &api.StatsRequest{ID: in.task()}} },
		func() fuzzCall { return fuzzCall{tasksV3, "Pids", &api.PidsRequest{ID: in.task()}} },
		func() fuzzCall { return fuzzCall{tasksV3, "Wait", &api.WaitRequest{ID: in.task(), ExecID: in.exec()}} },
		func() fuzzCall {
			return fuzzCall{tasksV3, "CloseIO", &api.CloseIORequest{ID: in.task(), ExecID: in.exec(), Stdin: in.byte() > 0x80}}
		},
		func() fuzzCall {
			return fuzzCall{tasksV3, "ResizePty", &api.ResizePtyRequest{ID: in.task(), ExecID: in.exec(), Width: in.number(), Height: in.number()}}
		},
		func() fuzzCall { return fuzzCall{tasksV3, "Connect", &api.ConnectRequest{ID: in.task()}} },
		func() fuzzCall {
			return fuzzCall{tasksV3, "Checkpoint", &api.CheckpointTaskRequest{ID: in.task(), Path: in.one("x")}}
		},
		func() fuzzCall { return fuzzCall{tasksV3, "Shutdown", &api.ShutdownRequest{ID: in.task()}} },
		func() fuzzCall {
			return fuzzCall{sandboxes, "CreateSandbox", &sandbox.CreateSandboxRequest{
				SandboxID: in.task(), BundlePath: bundle, Options: &anypb.Any{TypeUrl: in.one("runtime.v1.PodSandboxConfig", ""), Value: in.bytes()},
				NetnsPath: in.one("", "n"), Rootfs: []*apitypes.Mount{{Type: in.one("windows-layer")}}[:int(in.byte())>>7],
			}}
		},
		func() fuzzCall {
			return fuzzCall{sandboxes, "StartSandbox", &sandbox.StartSandboxRequest{SandboxID: in.task()}}
		},
		func() fuzzCall {
			return fuzzCall{sandboxes, "StopSandbox", &sandbox.StopSandboxRequest{SandboxID: in.task(), TimeoutSecs: in.number()}}
		},
		func() fuzzCall {
			return fuzzCall{sandboxes, "SandboxStatus", &sandbox.SandboxStatusRequest{SandboxID: in.task(), Verbose: true}}
		},
		func() fuzzCall {
			return fuzzCall{sandboxes, "Platform", &sandbox.PlatformRequest{SandboxID: in.task()}}
		},
		func() fuzzCall {
			return fuzzCall{sandboxes, "WaitSandbox", &sandbox.WaitSandboxRequest{SandboxID: in.task()}}
		},
		func() fuzzCall {
			return fuzzCall{sandboxes, "SandboxMetrics", &sandbox.SandboxMetricsRequest{SandboxID: in.task()}}
		},
		func() fuzzCall { return fuzzCall{sandboxes, "PingSandbox", &sandbox.PingRequest{SandboxID: in.task()}} },
		func() fuzzCall {
			return fuzzCall{sandboxes, "UpdateSandbox", &sandbox.UpdateSandboxRequest{SandboxID: in.task()}}
		},
		func() fuzzCall {
			// Bytes of the input in place of a message. Those that lead to a file or a program are left out.
			raw := new(emptypb.Empty)
			if b := in.bytes(); !slices.Contains(b, ':') {
				raw.ProtoReflect().SetUnknown(b)
			}
			return fuzzCall{in.one(tasksV3, tasksV2, sandboxes), in.one("Create", "Exec", "Kill", "State", "Update", "CreateSandbox", "Wait", "None"), raw}
		},
	}
	return calls[int(in.byte())%len(calls)]()
}
