package rpc

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Microsoft/go-winio"
	api "github.com/containerd/containerd/api/runtime/task/v3"
	events "github.com/containerd/containerd/api/services/ttrpc/events/v1"
	"github.com/containerd/containerd/api/types"
	"github.com/containerd/ttrpc"
	"github.com/opencontainers/runtime-spec/specs-go"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/siloshim/siloshim/test/workload"
)

// exe is where the test environment installs the shim.
const exe = `C:\silo\bin\containerd-shim-silo-v1.exe`

const namespace = "rpc"

var serial atomic.Int64

// topics is containerd's events service. It records events in order, and counts those that come again because they were
// not answered.
type topics struct {
	mu      sync.Mutex
	seen    []string
	last    *types.Envelope
	repeats int
}

func (r *topics) Forward(_ context.Context, q *events.ForwardRequest) (*emptypb.Empty, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if proto.Equal(q.Envelope, r.last) {
		r.repeats++
		return &emptypb.Empty{}, nil
	}
	r.seen, r.last = append(r.seen, q.Envelope.Topic), q.Envelope
	return &emptypb.Empty{}, nil
}

func (r *topics) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.seen, " ")
}

// shim is a running shim with a client.
type shim struct {
	api.TTRPCTaskService
	id     string
	bundle string
	events *topics
	// publish is containerd's executable, and env has additional variables.
	publish string
	env     []string
	silent  bool // the test receives the events itself
	process *os.Process
}

// command prepares the shim's executable with a verb.
func (s *shim) command(ctx context.Context, verb string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, exe, "-namespace", namespace, "-address", `\\.\pipe\none`, "-publish-binary", s.publish,
		"-id", s.id, "-bundle", s.bundle, verb)
	cmd.Env = append(os.Environ(), "TTRPC_ADDRESS="+s.eventsPipe(), "MAX_SHIM_VERSION=2")
	cmd.Env = append(cmd.Env, s.env...)
	return cmd
}

func (s *shim) eventsPipe() string {
	return fmt.Sprintf(`\\.\pipe\rpc-%d-%s-events`, os.Getpid(), s.id)
}

// newShim makes a bundle, starts a shim for it and ends it with the test. It calls each change before the start.
func newShim(t *testing.T, spec *specs.Spec, change ...func(*shim)) *shim {
	t.Helper()
	if _, err := os.Stat(exe); err != nil {
		t.Skipf("the shim is not installed here: %v", err)
	}
	s := &shim{id: fmt.Sprintf("t%d-%d", os.Getpid(), serial.Add(1)), bundle: t.TempDir(), events: &topics{}, publish: "none"}
	for _, c := range change {
		c(s)
	}
	if err := workload.Write(filepath.Join(s.bundle, "config.json"), spec); err != nil {
		t.Fatal(err)
	}
	if !s.silent {
		s.serveEvents(t)
	}
	cmd := s.command(t.Context(), "start")
	cmd.Dir = s.bundle
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("start: %v: %s", err, out)
	}
	conn, err := winio.DialPipeContext(t.Context(), string(out))
	if err != nil {
		t.Fatalf("dial %q: %v", out, err)
	}
	client := ttrpc.NewClient(conn)
	s.TTRPCTaskService = api.NewTTRPCTaskClient(client)
	s.find(t)
	t.Cleanup(func() {
		_, _ = s.Shutdown(context.Background(), &api.ShutdownRequest{ID: s.id, Now: true}) // it may have exited
		_ = client.Close()
		_, _ = s.process.Wait() // until its exit it has files open beside the bundle
	})
	return s
}

// find opens the shim's process.
func (s *shim) find(t *testing.T) {
	t.Helper()
	answer, err := s.Connect(t.Context(), &api.ConnectRequest{ID: s.id})
	if err != nil {
		t.Fatal(err)
	}
	if s.process, err = os.FindProcess(int(answer.ShimPid)); err != nil {
		t.Fatal(err)
	}
}

func (s *shim) serveEvents(t *testing.T) {
	t.Helper()
	l, err := winio.ListenPipe(s.eventsPipe(), nil)
	if err != nil {
		t.Fatal(err)
	}
	server, err := ttrpc.NewServer()
	if err != nil {
		t.Fatal(err)
	}
	events.RegisterTTRPCEventsService(server, s.events)
	go func() { _ = server.Serve(context.Background(), l) }() // Close ends it
	t.Cleanup(func() { _ = server.Close() })
}

// reader is a pipe that collects the output of the shim.
type reader struct {
	path string
	got  bytes.Buffer
	done chan struct{} // closed at the end of the stream
}

func newReader(t *testing.T) *reader {
	t.Helper()
	r := &reader{path: fmt.Sprintf(`\\.\pipe\rpc-%d-out-%d`, os.Getpid(), serial.Add(1)), done: make(chan struct{})}
	l, err := winio.ListenPipe(r.path, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() { // ends with the stream or the listener
		defer close(r.done)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = r.got.ReadFrom(conn)
	}()
	return r
}

// create makes the task.
func (s *shim) create(t *testing.T, stdout string) {
	t.Helper()
	if _, err := s.Create(t.Context(), &api.CreateTaskRequest{ID: s.id, Bundle: s.bundle, Stdout: stdout}); err != nil {
		t.Fatal(err)
	}
}

// took logs a duration, for information only.
func took(t *testing.T, what string, began time.Time) {
	t.Helper()
	t.Logf("%s took %s", what, time.Since(began).Round(time.Millisecond))
}
