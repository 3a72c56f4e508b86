package stdio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/Microsoft/go-winio"
	"github.com/containerd/errdefs"

	"github.com/siloshim/siloshim/internal/pipe"
)

// TestDial_PipeMissing_IsNotExist: a missing pipe is distinguished from one that is not accepted at.
func TestDial_PipeMissing_IsNotExist(t *testing.T) {
	path := endpoint(t)
	missing := func() bool {
		_, err := reach(t.Context(), &address{field: "stdin", path: path}, func(ctx context.Context) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
			defer cancel()
			return dial(ctx, path)
		})
		if err == nil || !errors.Is(err, errdefs.ErrUnavailable) || !strings.Contains(err.Error(), "stdin") || !strings.Contains(err.Error(), path) {
			t.Errorf("error %v, want one that names stdin and %s", err, path)
		}
		return errors.Is(err, fs.ErrNotExist)
	}
	if !missing() {
		t.Error("a pipe that was never made is not missing")
	}
	l, err := winio.ListenPipe(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if missing() {
		t.Error("a pipe that is not accepted at is missing")
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if !missing() {
		t.Error("a pipe that was closed is not missing")
	}
}

// TestServerOf_ProcessEnds_LivesNoMore: the process that made the pipe is found, also when it hung up at once.
func TestServerOf_ProcessEnds_LivesNoMore(t *testing.T) {
	path := endpoint(t)
	cmd := exec.Command(os.Args[0], "-test.run=^TestServeAndHangUp$")
	cmd.Env = append(os.Environ(), serveEnv+"="+path)
	alive, err := cmd.StdinPipe() // the process lives until this is closed
	if err != nil {
		t.Fatal(err)
	}
	told, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	expect(t, told, "listening\n")
	client, err := pipe.Dial(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	expect(t, told, "closed\n")
	s := serverOf(client)
	if s == nil {
		t.Fatal("the process was not found")
	}
	defer s.close()
	if !s.running() {
		t.Error("the process is said to have ended")
	}
	_ = alive.Close()
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if s.running() {
		t.Error("the process is said to live")
	}
}

// TestInput_ClientClosesPipe_Ends is what ctr run does.
func TestInput_ClientClosesPipe_Ends(t *testing.T) {
	server := listen(t)
	r := open(t, Config{Stdin: server.path})
	in, _, _ := child(t, r)
	program := dup(t, in)
	r.Start()
	client := server.accept(t)
	write(t, client, "data")
	closeClient(t, client)
	server.close()
	if got := readAll(t, program); got != "data" {
		t.Errorf("the program read %q", got)
	}
	closeFiles(t, program)
}

const serveEnv = "STDIO_TEST_SERVE"

// TestServeAndHangUp is the process of [TestServerOf_ProcessEnds_LivesNoMore].
func TestServeAndHangUp(t *testing.T) {
	path := os.Getenv(serveEnv)
	if path == "" {
		t.Skip("not started by another test")
	}
	l, err := winio.ListenPipe(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("listening")
	client, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(client.Close(), l.Close()); err != nil {
		t.Fatal(err)
	}
	fmt.Println("closed")
	_, _ = io.Copy(io.Discard, os.Stdin)
}
