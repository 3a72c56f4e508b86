package rpc

import (
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/opencontainers/runtime-spec/specs-go"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/siloshim/siloshim/test/workload"
)

// serviceLog is the variable with the log of the emulated service. Without it the machine has no service, or a real one, for
// which these tests have no layers.
const serviceLog = "HCSIM_LOG"

// newWCOW starts a shim for a Windows Server container whose init is one of the programs of this binary. At the end of the
// test its layer must not be mounted.
func newWCOW(t *testing.T, program string, change ...func(*specs.Spec)) *shim {
	t.Helper()
	if os.Getenv(serviceLog) == "" {
		t.Skipf("no emulated HCS: %s is not set (test/e2e runs this with one)", serviceLog)
	}
	spec := workload.Spec()
	spec.Process = inside(t, program)
	spec.Annotations = map[string]string{}
	base := t.TempDir()
	spec.Windows = &specs.Windows{LayerFolders: []string{base + `\layer`, base + `\scratch`}}
	for _, dir := range spec.Windows.LayerFolders {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		for _, mark := range []string{"prepared", "active"} {
			if _, err := os.Stat(filepath.Join(base, "scratch", mark)); err == nil {
				t.Errorf("the layer is still %s", mark)
			}
		}
	})
	for _, c := range change {
		c(spec)
	}
	return newShim(t, spec)
}

// inside is a program of this binary as a process of a container.
func inside(t *testing.T, program string) *specs.Process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return &specs.Process{Args: []string{self}, Cwd: `C:\`, Env: []string{programKey + "=" + program}}
}

// documents are the documents of the service's calls with this name for this container.
func (s *shim) documents(t *testing.T, call string) (found []string) {
	t.Helper()
	text, err := os.ReadFile(os.Getenv(serviceLog))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if document, ok := strings.CutPrefix(line, call+" "+s.id+" "); ok {
			found = append(found, strings.TrimSpace(document))
		}
	}
	return found
}

// start starts the container, or an exec of it.
func (s *shim) start(t *testing.T, exec string) {
	t.Helper()
	if _, err := s.Start(t.Context(), &api.StartRequest{ID: s.id, ExecID: exec}); err != nil {
		t.Fatal(err)
	}
}

// exec creates and starts an exec that runs a program of this binary.
func (s *shim) exec(t *testing.T, id, program, stdout string) {
	t.Helper()
	value, err := json.Marshal(inside(t, program))
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Exec(t.Context(), &api.ExecProcessRequest{
		ID: s.id, ExecID: id, Stdout: stdout,
		Spec: &anypb.Any{TypeUrl: "types.containerd.io/opencontainers/runtime-spec/1/Process", Value: value},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.start(t, id)
}

// kill sends a signal to the container, or to an exec of it.
func (s *shim) kill(t *testing.T, exec string, signal uint32) {
	t.Helper()
	if _, err := s.Kill(t.Context(), &api.KillRequest{ID: s.id, ExecID: exec, Signal: signal}); err != nil {
		t.Errorf("kill with %d: %v", signal, err)
	}
}

// ends waits for the exit of the container, or of an exec, checks its status and deletes it.
func (s *shim) ends(t *testing.T, exec string, want uint32) {
	t.Helper()
	r, err := s.Wait(t.Context(), &api.WaitRequest{ID: s.id, ExecID: exec})
	if err != nil {
		t.Fatal(err)
	}
	if r.ExitStatus != want {
		t.Errorf("%q ended with %d, want %d", exec, r.ExitStatus, want)
	}
	if _, err := s.Delete(t.Context(), &api.DeleteRequest{ID: s.id, ExecID: exec}); err != nil {
		t.Error(err)
	}
}

// screen is a pipe that the shim writes to. It is read continuously.
type screen struct {
	path string
	conn chan net.Conn
}

func newScreen(t *testing.T) *screen {
	t.Helper()
	s := &screen{conn: make(chan net.Conn, 1)}
	s.path = accept(t, "screen", s.conn)
	return s
}

// until reads up to a word, once, and discards the rest: a program blocks if its output is not read.
func (s *screen) until(t *testing.T, word string) {
	t.Helper()
	from, ok := <-s.conn
	if !ok {
		t.Fatalf("no client connected to write %q", word)
	}
	var seen strings.Builder
	buffer := make([]byte, 4096)
	for !strings.Contains(seen.String(), word) {
		n, err := from.Read(buffer)
		seen.Write(buffer[:n])
		if err != nil {
			t.Fatalf("no %q before %v: %q", word, err, seen.String())
		}
	}
	go func() { _, _ = io.Copy(io.Discard, from) }() // ends with the pipe
}

// keyboard is a pipe that the shim reads from.
func newKeyboard(t *testing.T) (path string, conn <-chan net.Conn) {
	t.Helper()
	c := make(chan net.Conn, 1)
	return accept(t, "keyboard", c), c
}

// accept makes a pipe and accepts its first client.
func accept(t *testing.T, what string, conn chan<- net.Conn) (path string) {
	t.Helper()
	l := listen(t, what)
	go func() { // ends with the first client or the listener
		c, err := l.Accept()
		if err != nil {
			close(conn)
			return
		}
		t.Cleanup(func() { _ = c.Close() })
		conn <- c
	}()
	return l.Addr().String()
}
