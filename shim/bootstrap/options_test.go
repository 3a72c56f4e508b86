package bootstrap

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	runhcs "github.com/Microsoft/hcsshim/cmd/containerd-shim-runhcs-v1/options"
	runtimeoptions "github.com/containerd/containerd/api/types/runtimeoptions/v1"
	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/siloshim/siloshim/container/plan"
)

func tomlOptions(t *testing.T, body string) *anypb.Any {
	return options(t, &runtimeoptions.Options{TypeUrl: "any", ConfigBody: []byte(body)})
}

func TestDecodeOptions(t *testing.T) {
	file := filepath.Join(t.TempDir(), "options.toml")
	if err := os.WriteFile(file, []byte("Debug = true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	marked := filepath.Join(t.TempDir(), "options.toml")
	if err := os.WriteFile(marked, []byte("\uFEFFDebug = true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	withHost, err := anypb.New(&runhcs.Options{Debug: true})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		in   *anypb.Any
		want Options
	}{
		{"none", &anypb.Any{}, Options{}},
		{"runhcs, empty", options(t, &runhcs.Options{}), Options{}},
		{"runhcs, with a host before the type", withHost, Options{Debug: true}},
		{"runhcs, all", options(t, &runhcs.Options{
			Debug: true, LogLevel: "trace", ScrubLogs: proto.Bool(false), IoRetryTimeoutInSec: 7,
			DefaultContainerAnnotations: map[string]string{"a": "b"}, SandboxPlatform: "windows/amd64", VmProcessorCount: 2,
		}), Options{Debug: true, LogLevel: "trace", IORetryTimeout: 7 * time.Second, DefaultAnnotations: map[string]string{"a": "b"}}},
		{"toml, empty", tomlOptions(t, ""), Options{}},
		{"toml, all", tomlOptions(t, "Debug = true\nLogLevel = 'warn'\nScrubLogs = false\nIoRetryTimeoutInSec = 3\nSandboxPlatform = 'windows/amd64'\n[DefaultContainerAnnotations]\n\"x/y\" = 'z'\n"),
			Options{Debug: true, LogLevel: "warn", IORetryTimeout: 3 * time.Second, DefaultAnnotations: map[string]string{"x/y": "z"}}},
		{"toml, in a file", options(t, &runtimeoptions.Options{ConfigPath: file}), Options{Debug: true}},
		{"toml, in a file with a byte order mark", options(t, &runtimeoptions.Options{ConfigPath: marked}), Options{Debug: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := DecodeOptions(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("options (-want +got):\n%s", diff)
			}
		})
	}
	for name, in := range map[string]*anypb.Any{"none": nil, "a sandbox's address": {TypeUrl: runcType, Value: endpoint()}} {
		if got, err := DecodeOptions(in); err != nil || !cmp.Equal(got, Options{}) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestDecodeOptions_BadInput_Refused(t *testing.T) {
	tests := []struct {
		name  string
		in    *anypb.Any
		class error
		want  string
	}{
		{"another type", &anypb.Any{TypeUrl: "containerd.runc.v1.Options"}, errdefs.ErrInvalidArgument, "containerd.runc.v1.Options"},
		{"another type with an address", &anypb.Any{TypeUrl: runcType, Value: append(endpoint(), 8, 1)}, errdefs.ErrInvalidArgument, runcType},
		{"a value without a type", &anypb.Any{Value: []byte{1}}, errdefs.ErrInvalidArgument, `type ""`},
		{"a broken runhcs message", &anypb.Any{TypeUrl: runhcsType, Value: []byte{0xff}}, errdefs.ErrInvalidArgument, runhcsType},
		{"a broken message of the other kind", &anypb.Any{TypeUrl: generalType, Value: []byte{0xff}}, errdefs.ErrInvalidArgument, generalType},
		{"an unknown key", tomlOptions(t, "Debug = true\nSystemdCgroup = true\n"), errdefs.ErrInvalidArgument, "unknown key SystemdCgroup"},
		{"broken TOML", tomlOptions(t, "Debug = \n"), errdefs.ErrInvalidArgument, "decode options"},
		{"a file that is not there", options(t, &runtimeoptions.Options{ConfigPath: "/nowhere.toml"}), errdefs.ErrInvalidArgument, "ConfigPath"},
		{"an unknown level", options(t, &runhcs.Options{LogLevel: "loud"}), errdefs.ErrInvalidArgument, `log_level "loud"`},
		{"a negative time", options(t, &runhcs.Options{IoRetryTimeoutInSec: -1}), errdefs.ErrInvalidArgument, "io_retry_timeout_in_sec"},
		{"hyper-v", options(t, &runhcs.Options{SandboxIsolation: runhcs.Options_HYPERVISOR}), errdefs.ErrNotImplemented, "sandbox_isolation"},
		{"hyper-v in TOML", tomlOptions(t, "SandboxIsolation = 1\n"), errdefs.ErrNotImplemented, "SandboxIsolation"},
		{"a log into a file", options(t, &runhcs.Options{DebugType: runhcs.Options_FILE}), errdefs.ErrNotImplemented, "debug_type"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := DecodeOptions(tt.in)
			if !errors.Is(err, tt.class) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v; want class %v and %q", err, tt.class, tt.want)
			}
		})
	}
}

// endpoint is what containerd's client writes for a container of a sandbox.
func endpoint() []byte {
	b := protowire.AppendString(protowire.AppendTag(nil, 12, protowire.BytesType), `\\.\pipe\x`)
	return protowire.AppendVarint(protowire.AppendTag(b, 13, protowire.VarintType), 3)
}

// FuzzStdin feeds start what no containerd writes. Whatever it is, it is decoded or refused.
func FuzzStdin(f *testing.F) {
	for _, m := range []proto.Message{
		&anypb.Any{TypeUrl: runhcsType, Value: []byte{8, 1}},
		&anypb.Any{TypeUrl: generalType, Value: []byte{26, 1, 'a'}},
	} {
		data, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("\x0a\x02c1\x12\x02ns"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p := Process{Stdin: strings.NewReader(string(data)), Getenv: func(string) string { return "" }}
		params, err := readParams(p, flags{id: "c1", namespace: "ns"})
		if err == nil && params.LogLevel == "" {
			t.Error("no log level")
		}
	})
}

// FuzzOptions: options of any type are refused with a class, or can be used.
func FuzzOptions(f *testing.F) {
	for url, m := range map[string]proto.Message{
		runhcsType:  &runhcs.Options{Debug: true, LogLevel: "debug", IoRetryTimeoutInSec: 5, DefaultContainerAnnotations: map[string]string{"a": "b"}},
		generalType: &runtimeoptions.Options{ConfigBody: []byte("LogLevel = 'trace'\nIoRetryTimeoutInSec = 3\n[DefaultContainerAnnotations]\na = 'b'\n")},
	} {
		data, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(url, data)
		f.Add("types.example/"+url, data[1:])
	}
	f.Add(runcType, endpoint())
	f.Add("", []byte{})
	f.Fuzz(func(t *testing.T, url string, value []byte) {
		var general runtimeoptions.Options
		if proto.Unmarshal(value, &general) == nil && len(general.ConfigBody) == 0 && general.ConfigPath != "" {
			return // it is read from a file of this machine
		}
		o, err := DecodeOptions(&anypb.Any{TypeUrl: url, Value: value})
		if err != nil && !errors.Is(err, errdefs.ErrInvalidArgument) && !errors.Is(err, errdefs.ErrNotImplemented) {
			t.Errorf("%q: %v", url, err)
		}
		if err == nil && (o.IORetryTimeout < 0 || !slices.Contains(logLevels, o.LogLevel)) {
			t.Errorf("%q gives %+v", url, o)
		}
	})
}

// FuzzOptionsTable: a table of config.toml is refused, or can be used.
func FuzzOptionsTable(f *testing.F) {
	for _, seed := range []string{
		"LogLevel = 'debug'\nDebug = true\n", "IoRetryTimeoutInSec = -1", "[DefaultContainerAnnotations]\na = 'b'", "SandboxIsolation = 1", "Unknown = 1", "ScrubLogs = true\nSandboxPlatform = 'windows/amd64'", "a = [",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) == 0 {
			return
		}
		o, err := fromTOML(&runtimeoptions.Options{ConfigBody: body})
		if err == nil && (o.IORetryTimeout < 0 || !slices.Contains(logLevels, o.LogLevel)) {
			t.Errorf("%q gives %+v", body, o)
		}
	})
}

// FuzzFlags: a command line is refused, or names a container by a valid id and an absolute path.
func FuzzFlags(f *testing.F) {
	f.Add("-namespace\nk8s.io\n-id\nc1\n-address\n\\\\.\\pipe\\containerd\n-bundle\nC:\\b\n-debug\nstart")
	f.Add("--namespace=ns\n--id=../x\ndelete")
	f.Add("-info")
	f.Add("-id\n-namespace\n-x")
	f.Fuzz(func(t *testing.T, joined string) {
		args := strings.Split(joined, "\n")
		got, err := parseFlags(args)
		if err != nil || got.validate() != nil {
			return
		}
		if plan.ValidID(got.id) != nil || plan.ValidName("namespace", got.namespace) != nil || !filepath.IsAbs(got.bundle) {
			t.Errorf("%q is read as %+v", args, got)
		}
		if got.verb != "" && !slices.Contains(args, got.verb) {
			t.Errorf("%q has the verb %q", args, got.verb)
		}
	})
}
