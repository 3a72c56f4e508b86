package rpc

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/Microsoft/go-winio"
	api "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/siloshim/siloshim/test/workload"
)

// A client disconnects and another one connects. The program reads both as one input, which ends with CloseIO: the pipe exists
// all the time.
func TestStdin_ClientReplaced_InputContinues(t *testing.T) {
	s := newShim(t, workload.Spec("cat"))
	in := listen(t, "in")
	clients := make(chan net.Conn)
	go func() { // ends with the listener
		defer close(clients)
		for c, err := in.Accept(); err == nil; c, err = in.Accept() {
			clients <- c
		}
	}()
	printed := make(chan net.Conn, 1)
	stdout := accept(t, "out", printed)
	if _, err := s.Create(t.Context(), &api.CreateTaskRequest{ID: s.id, Bundle: s.bundle, Stdin: in.Addr().String(), Stdout: stdout}); err != nil {
		t.Fatal(err)
	}
	s.start(t, "")
	out := <-printed
	for _, text := range []string{"one", "two"} {
		client := <-clients
		if _, err := io.WriteString(client, text); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(text))
		if _, err := io.ReadFull(out, got); err != nil || string(got) != text {
			t.Fatalf("the program read %q, %v, want %q", got, err, text)
		}
		if err := client.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.CloseIO(t.Context(), &api.CloseIORequest{ID: s.id, Stdin: true}); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(out); err != nil || len(rest) > 0 {
		t.Errorf("%q arrived after the end of the input, %v", rest, err)
	}
	s.ends(t, "", 0)
}

// A client that never calls CloseIO closes its pipe, while the shim runs.
func TestExec_ClientClosesPipe_Ends(t *testing.T) {
	s := newShim(t, workload.Spec("sleep", "600"))
	s.create(t, "")
	s.start(t, "")
	in := listen(t, "in")
	printed := make(chan net.Conn, 1)
	stdout := accept(t, "out", printed)
	fed := make(chan error, 1)
	go func() {
		client, err := in.Accept()
		if err == nil {
			_, err = io.WriteString(client, "all of it")
			err = errors.Join(err, client.Close(), in.Close())
		}
		fed <- err
	}()
	if err := s.tryExec(t, "cat", &api.ExecProcessRequest{Stdin: in.Addr().String(), Stdout: stdout}); err != nil {
		t.Fatal(err)
	}
	s.start(t, "cat")
	if err := <-fed; err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(<-printed); err != nil || string(got) != "all of it" {
		t.Errorf("the program read %q, %v", got, err)
	}
	s.ends(t, "cat", 0)
	s.kill(t, "", 9)
	s.ends(t, "", 137)
}

// A client makes its pipe and does not accept. The request is answered in seconds; its error names the stream and the pipe.
func TestStreams_NotAccepted_AreNamed(t *testing.T) {
	s := newShim(t, workload.Spec("sleep", "600"))
	pipe := listen(t, "deaf").Addr().String()
	named := func(field string, err error) {
		if !errdefs.IsUnavailable(errgrpc.ToNative(err)) || !strings.Contains(err.Error(), "open "+field) || !strings.Contains(err.Error(), pipe) {
			t.Errorf("error %v, want one of class unavailable that names %s and %s", err, field, pipe)
		}
	}
	_, err := s.Create(t.Context(), &api.CreateTaskRequest{ID: s.id, Bundle: s.bundle, Stdin: pipe})
	named("stdin", err)
	s.create(t, "")
	s.start(t, "")
	var execs sync.WaitGroup
	for field, r := range map[string]*api.ExecProcessRequest{"stdin": {Stdin: pipe}, "stdout": {Stdout: pipe}, "stderr": {Stderr: pipe}} {
		execs.Go(func() { named(field, s.tryExec(t, field, r)) })
	}
	execs.Wait()
	s.kill(t, "", 9)
	s.ends(t, "", 137)
}

// tryExec sends Exec for the payload as cat.
func (s *shim) tryExec(t *testing.T, id string, r *api.ExecProcessRequest) error {
	t.Helper()
	value, err := json.Marshal(workload.Spec("cat").Process)
	if err != nil {
		return err
	}
	r.ID, r.ExecID = s.id, id
	r.Spec = &anypb.Any{TypeUrl: "types.containerd.io/opencontainers/runtime-spec/1/Process", Value: value}
	_, err = s.Exec(t.Context(), r)
	return err
}

// listen makes a pipe for the shim.
func listen(t *testing.T, what string) net.Listener {
	t.Helper()
	l, err := winio.ListenPipe(fmt.Sprintf(`\\.\pipe\rpc-%d-%s-%d`, os.Getpid(), what, serial.Add(1)), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}
