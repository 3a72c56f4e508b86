package stdio

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"github.com/containerd/log"
	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/internal/pipe"
)

// TestMain makes the test binary the logging program that it is started as.
func TestMain(m *testing.M) {
	if os.Getenv("CONTAINER_WAIT") != "" {
		if err := runLogger(os.Args[1], os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// runLogger copies what it reads into files of a directory, as mode says:
//
//	copy   all of it
//	first  the first line, and then it ends
//	hang   never gets ready
//	crash  ends before it is ready
func runLogger(mode, dir string) error {
	if mode == "crash" {
		return errors.New("as I was told")
	}
	var conns []net.Conn
	// Not the order in which the shim makes them.
	for _, variable := range []string{"CONTAINER_WAIT", "CONTAINER_STDERR", "CONTAINER_STDOUT"} {
		conn, err := pipe.Dial(context.Background(), os.Getenv(variable))
		if err != nil {
			return err
		}
		conns = append(conns, conn)
	}
	if mode == "hang" {
		_, err := conns[0].Read(make([]byte, 1)) // the shim gives up
		return err
	}
	env := strings.Join([]string{os.Getenv("CONTAINER_ID"), os.Getenv("CONTAINER_NAMESPACE"), os.Getenv("TTRPC_ADDRESS")}, " ")
	if err := os.WriteFile(filepath.Join(dir, "env"), []byte(env), 0o600); err != nil {
		return err
	}
	if err := conns[0].Close(); err != nil {
		return err
	}
	if mode == "first" {
		line, err := bufio.NewReader(conns[2]).ReadString('\n')
		return errors.Join(err, os.WriteFile(filepath.Join(dir, "stdout"), []byte(line), 0o600))
	}
	var copies sync.WaitGroup
	var errs [2]error
	for i, name := range []string{"stderr", "stdout"} {
		copies.Go(func() {
			text, err := io.ReadAll(conns[i+1])
			errs[i] = errors.Join(err, os.WriteFile(filepath.Join(dir, name), text, 0o600))
		})
	}
	copies.Wait()
	return errors.Join(errs[:]...)
}

// loggerURI names this test binary as a logging program.
func loggerURI(t *testing.T, mode, dir string) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return uri("binary", exe) + "?" + mode + "=" + strings.ReplaceAll(filepath.ToSlash(dir), " ", "+")
}

// files are what the logging program wrote.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	got := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		got[e.Name()] = string(text)
	}
	return got
}

// TestLogger: one program reads both outputs to their ends and has written all of it when Close returns. It has what it
// needs in its environment, and none of the shim's own.
func TestLogger(t *testing.T) {
	t.Setenv("TTRPC_ADDRESS", "secret")
	before := runtime.NumGoroutine()
	dir := t.TempDir()
	at := loggerURI(t, "copy", dir)
	r := open(t, Config{Stdout: at, Stderr: at, ID: "c", Namespace: "ns"})
	_, out, err := child(t, r)
	program, diagnosis := dup(t, out), dup(t, err)
	r.Start()
	text := string(randomBytes(3 * chunkSize))
	write(t, program, text)
	write(t, diagnosis, "sorry")
	closeFiles(t, program, diagnosis)
	finish(t, r)
	if diff := cmp.Diff(map[string]string{"env": "c ns ", "stdout": text, "stderr": "sorry"}, files(t, dir)); diff != "" {
		t.Errorf("the logging program's files (-want +got):\n%.500s", diff)
	}
	waitGoroutines(t, before)
}

// TestLogger_OneStream_GetsIt: the stream that is not connected ends at once.
func TestLogger_OneStream_GetsIt(t *testing.T) {
	dir := t.TempDir()
	r := open(t, Config{Stderr: loggerURI(t, "copy", dir)})
	_, _, err := child(t, r)
	diagnosis := dup(t, err)
	r.Start()
	write(t, diagnosis, "alone")
	closeFiles(t, diagnosis)
	finish(t, r)
	if got := files(t, dir); got["stderr"] != "alone" || got["stdout"] != "" {
		t.Errorf("the logging program's files: %q", got)
	}
}

// TestLogger_ProgramEnds_OutputDiscarded: the program is not held back by a reader that will not come back; the loss is counted, and the log
// has it in the end.
func TestLogger_ProgramEnds_OutputDiscarded(t *testing.T) {
	dir := t.TempDir()
	var journal bytes.Buffer
	before := log.L.Logger.Out
	log.L.Logger.SetOutput(&journal)
	t.Cleanup(func() { log.L.Logger.SetOutput(before) })
	r := open(t, Config{Stdout: loggerURI(t, "first", dir), Log: log.L})
	_, out, _ := child(t, r)
	program := dup(t, out)
	r.Start()
	write(t, program, "first\n")
	<-r.loggers[0].exited
	const rest = 4 * chunkSize
	write(t, program, string(randomBytes(rest)))
	closeFiles(t, program)
	if _, err := r.Drain(t.Context()); err != nil {
		t.Error(err)
	}
	if got := files(t, dir); got["stdout"] != "first\n" || r.Lost() != rest {
		t.Errorf("it wrote %q, and %d bytes are lost; want %d", got["stdout"], r.Lost(), rest)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if want := fmt.Sprint("lost_bytes=", rest); !strings.Contains(journal.String(), want) {
		t.Errorf("the log says %q, want %s", journal.String(), want)
	}
}

// TestLogger_ProgramNotReady_OpenFails leaves no pipe and no process, for each reason.
func TestLogger_ProgramNotReady_OpenFails(t *testing.T) {
	before := runtime.NumGoroutine()
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond) // it would wait for ten seconds
	defer cancel()
	for name, at := range map[string]string{
		"crash":           loggerURI(t, "crash", dir),
		"hang":            loggerURI(t, "hang", dir),
		"no such program": uri("binary", filepath.Join(dir, "none.exe")),
	} {
		r, err := Open(ctx, Config{Stdout: at})
		if r != nil || !errors.Is(err, errdefs.ErrUnavailable) || !strings.HasPrefix(err.Error(), "open stdout: ") {
			t.Errorf("%s: %v, want unavailable that names stdout", name, err)
		}
	}
	waitGoroutines(t, before)
}
