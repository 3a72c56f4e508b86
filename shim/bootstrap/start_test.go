package bootstrap

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	runhcs "github.com/Microsoft/hcsshim/cmd/containerd-shim-runhcs-v1/options"
	bootapi "github.com/containerd/containerd/api/runtime/bootstrap/v1"
	api "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/containerd/api/types"
	"github.com/containerd/ttrpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/siloshim/siloshim/internal/pipe"
)

const goodConfig = `{"process":{"args":["app.exe"],"cwd":"C:\\"},"windows":{}}`

// daemon calls the shim as containerd does.
type daemon struct {
	t     *testing.T
	state string // the directory of the bundles
	env   []string
	mode  string
}

func newDaemon(t *testing.T) *daemon {
	t.Helper()
	dir, err := os.MkdirTemp("", "silo") //nolint:usetesting // short: a socket's path goes into it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return &daemon{t: t, state: dir, mode: "serve", env: []string{"TTRPC_ADDRESS=/nowhere", "MAX_SHIM_VERSION=2"}}
}

func (d *daemon) bundle(id, config string) string {
	d.t.Helper()
	dir := filepath.Join(d.state, id)
	if err := os.Mkdir(dir, 0o700); err != nil {
		d.t.Fatal(err)
	}
	if config != "" {
		if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(config), 0o600); err != nil {
			d.t.Fatal(err)
		}
	}
	return dir
}

func (d *daemon) command(bundle string, stdin []byte, args ...string) *exec.Cmd {
	exe, err := os.Executable()
	if err != nil {
		d.t.Fatal(err)
	}
	cmd := exec.Command(exe, args...)
	cmd.Dir = bundle
	cmd.Stdin = bytes.NewReader(stdin)
	cmd.Env = append(append(os.Environ(), modeEnv+"="+d.mode, "GORACE=atexit_sleep_ms=0", "TMPDIR="+d.state, "TMP="+d.state), d.env...)
	return cmd
}

// start runs the verb with the two streams in one, as containerd reads them.
func (d *daemon) start(id, bundle string, stdin []byte) ([]byte, error) {
	return d.command(bundle, stdin, "-namespace", "ns", "-address", "/grpc", "-publish-binary", "/bin/containerd", "-id", id, "start").CombinedOutput()
}

// parse reads the reply in the order in which containerd 2.4 tries.
func parse(t *testing.T, out []byte) (form string, r *bootapi.BootstrapResult) {
	t.Helper()
	r = &bootapi.BootstrapResult{}
	if err := proto.Unmarshal(out, r); err == nil {
		return "proto", r
	}
	r = &bootapi.BootstrapResult{}
	if err := json.Unmarshal(out, r); err == nil {
		return "json", r
	}
	return "bare", &bootapi.BootstrapResult{Version: 2, Protocol: "ttrpc", Address: string(out)}
}

// shimProcess is a shim that was started, as containerd is connected to it.
type shimProcess struct {
	t      *testing.T
	client api.TTRPCTaskService
	log    *bufio.Reader
	hello  string // the first line of the log
	pid    uint32
	level  string
}

func connect(t *testing.T, d *daemon, id, address string) *shimProcess {
	t.Helper()
	conn, err := pipe.Dial(t.Context(), address)
	if err != nil {
		t.Fatalf("the first dial after start: %v", err)
	}
	client := ttrpc.NewClient(conn)
	t.Cleanup(func() { client.Close() })
	s := &shimProcess{t: t, client: api.NewTTRPCTaskClient(client)}
	r, err := s.client.Connect(t.Context(), &api.ConnectRequest{ID: id})
	if err != nil {
		t.Fatal(err)
	}
	s.pid, s.level = r.ShimPid, r.Version
	t.Setenv("TMPDIR", d.state)
	logs, err := pipe.Dial(t.Context(), logAddress("ns", id))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { logs.Close() })
	s.log = bufio.NewReader(logs)
	if s.level != "warning" { // the shim's first line is less than that
		if s.hello, err = s.log.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// end shuts the shim down, waits until it has ended, and returns its log.
func (s *shimProcess) end() string {
	s.t.Helper()
	_, _ = s.client.Shutdown(context.Background(), &api.ShutdownRequest{}) // the answer may not make it
	words, _ := io.ReadAll(s.log)                                          // until the other end is gone
	return s.hello + string(words)
}

func bootstrapParams(t *testing.T, id string, options proto.Message) []byte {
	t.Helper()
	p := &bootapi.BootstrapParams{InstanceID: id, Namespace: "ns", LogLevel: bootapi.LogLevel_LOG_LEVEL_WARN}
	for _, e := range []proto.Message{&types.Mount{Type: "an extension for another program"}, options} {
		if e != nil {
			if err := p.AddExtension(e); err != nil {
				t.Fatal(err)
			}
		}
	}
	return marshal(t, p)
}

func marshal(t *testing.T, m proto.Message) []byte {
	t.Helper()
	data, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func options(t *testing.T, m proto.Message) *anypb.Any {
	t.Helper()
	a, err := anypb.New(m)
	if err != nil {
		t.Fatal(err)
	}
	a.TypeUrl = strings.TrimPrefix(a.TypeUrl, "type.googleapis.com/") // containerd's typeurl has no host
	return a
}

func TestStart_EachContainerd_GetsItsReply(t *testing.T) {
	opts := options(t, &runhcs.Options{LogLevel: "debug"})
	tests := []struct {
		name    string
		stdin   []byte
		max     string
		form    string
		version int32
		level   string
	}{
		{"1.7 without options", nil, "2", "bare", 2, "info"},
		{"1.7 to 2.2 with options", marshal(t, opts), "2", "bare", 2, "debug"},
		{"a maximum of 3", nil, "3", "json", 3, "info"},
		{"2.3 and later", bootstrapParams(t, "c1", nil), "2", "proto", 3, "warning"},
		{"2.3 and later with options", bootstrapParams(t, "c1", opts), "2", "proto", 3, "debug"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDaemon(t)
			d.env = append(d.env, "MAX_SHIM_VERSION="+tt.max)
			out, err := d.start("c1", d.bundle("c1", goodConfig), tt.stdin)
			if err != nil {
				t.Fatalf("start: %v: %s", err, out)
			}
			form, r := parse(t, out)
			if form != tt.form || r.Version != tt.version || r.Protocol != "ttrpc" {
				t.Errorf("reply is %s, version %d, protocol %q; want %s, version %d, ttrpc", form, r.Version, r.Protocol, tt.form, tt.version)
			}
			s := connect(t, d, "c1", r.Address)
			if s.level != tt.level {
				t.Errorf("log level is %q, want %q", s.level, tt.level)
			}
			words := s.end()
			if loud := tt.level != "warning"; strings.Contains(words, "hello from c1") != loud {
				t.Errorf("log at level %s: %q", tt.level, words)
			}
		})
	}
}

func TestServe_Bundle_CanBeRemoved(t *testing.T) {
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		t.Skip("capability missing: /proc tells the open files of a process")
	}
	d := newDaemon(t)
	bundle := d.bundle("c1", goodConfig)
	out, err := d.start("c1", bundle, nil)
	if err != nil {
		t.Fatalf("start: %v: %s", err, out)
	}
	s := connect(t, d, "c1", string(out))
	proc := fmt.Sprintf("/proc/%d/", s.pid)
	links := []string{proc + "cwd"}
	entries, err := os.ReadDir(proc + "fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		links = append(links, proc+"fd/"+e.Name())
	}
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && strings.HasPrefix(target, bundle) {
			t.Errorf("%s is in the bundle: %s", link, target)
		}
	}
	s.end()
	if _, err := os.Stat(string(crashPath(bundle, "c1"))); err == nil {
		t.Error("the crash file is still there after an end in order")
	}
}

func TestStart_WorkloadOfSandbox_JoinsItsShim(t *testing.T) {
	joining := `{"process":{"args":["app.exe"]},"annotations":{"io.kubernetes.cri.container-type":"container","io.kubernetes.cri.sandbox-id":"pod"}}`
	sandbox := strings.ReplaceAll(joining, `"container"`, `"sandbox"`)
	d := newDaemon(t)
	first, err := d.start("pod", d.bundle("pod", sandbox), nil)
	if err != nil {
		t.Fatalf("start the sandbox: %v: %s", err, first)
	}
	bundle := d.bundle("c1", joining)
	second, err := d.start("c1", bundle, nil)
	if err != nil || !bytes.Equal(first, second) {
		t.Errorf("the container's shim is %q, %v; want that of the sandbox, %q", second, err, first)
	}
	connect(t, d, "pod", string(first)).end()
	if out, err := d.start("c1", bundle, nil); err == nil || !strings.Contains(string(out), "sandbox pod") {
		t.Errorf("start beside a dead sandbox: %v, %s; want an error that names the sandbox", err, out)
	}
}

func TestStart_ServeFails_ReturnsReason(t *testing.T) {
	for mode, want := range map[string]string{"fail": "no kernel; to speak of", "panic": "panic: at the disco"} {
		t.Run(mode, func(t *testing.T) {
			d := newDaemon(t)
			d.mode = mode
			bundle := d.bundle("c1", goodConfig)
			out, err := d.start("c1", bundle, nil)
			if err == nil || !strings.Contains(string(out), want) || bytes.Count(out, []byte("\n")) != 1 {
				t.Errorf("start: %v, %q; want one line with %q", err, out, want)
			}
			left, err := os.ReadDir(d.state)
			if err != nil {
				t.Fatal(err)
			}
			if len(left) != 1 {
				t.Errorf("left behind beside the bundle: %v", left)
			}
		})
	}
}

func names(t *testing.T, dirs ...string) (all []string) {
	t.Helper()
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			all = append(all, e.Name())
		}
	}
	return all
}
