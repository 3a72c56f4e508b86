package stdio

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/containerd/errdefs"
)

// TestRelay_ProgramExitsAtOnce_OutputIsComplete in small: a program that prints and exits
// at once, again and again; not one byte is missing and nothing is left.
func TestRelay_ProgramExitsAtOnce_OutputIsComplete(t *testing.T) {
	before := runtime.NumGoroutine()
	size, rounds := 256<<10, 200
	if testing.Short() {
		rounds = 20
	}
	text := randomBytes(size)
	want := sha256.Sum256(text)
	for range rounds {
		server := listen(t)
		r := open(t, Config{Stdout: server.path})
		_, out, _ := child(t, r)
		program := dup(t, out)
		r.Start()
		go func() {
			_, _ = program.Write(text)
			_ = program.Close()
		}()
		got := sha256.New()
		n, err := io.Copy(got, server.accept(t))
		if err != nil || [32]byte(got.Sum(nil)) != want {
			t.Fatalf("got %d of %d bytes, error %v", n, size, err)
		}
		finish(t, r)
		server.close()
	}
	waitGoroutines(t, before)
}

func TestRelay_StdoutAndStderr_AreSeparate(t *testing.T) {
	stdout, stderr := listen(t), listen(t)
	r := open(t, Config{Stdout: stdout.path, Stderr: stderr.path})
	_, out, err := child(t, r)
	program, diagnosis := dup(t, out), dup(t, err)
	r.Start()
	texts, messages := stdout.accept(t), stderr.accept(t)
	write(t, program, "to stdout")
	write(t, diagnosis, "to stderr")
	closeFiles(t, program, diagnosis)
	if got := readAll(t, texts); got != "to stdout" {
		t.Errorf("stdout got %q", got)
	}
	if got := readAll(t, messages); got != "to stderr" {
		t.Errorf("stderr got %q", got)
	}
	finish(t, r)
}

// TestRelay_DrainContextEnds_OutputIsLost: a grandchild holds stdout open for ever, and a reader takes
// nothing. Drain returns when its context ends, and each byte has either
// arrived or is counted.
func TestRelay_DrainContextEnds_OutputIsLost(t *testing.T) {
	before := runtime.NumGoroutine()
	server := listen(t)
	r := open(t, Config{Stdout: server.path})
	_, out, _ := child(t, r)
	grandchild := dup(t, out)
	r.Start()
	client := server.accept(t)
	const size = 40000 // The pipe to the relay takes this without a reader.
	write(t, grandchild, string(randomBytes(size)))

	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("the task was deleted")
	cancel(gone)
	if _, err := r.Drain(ctx); !errors.Is(err, gone) {
		t.Fatalf("Drain = %v, want the context's cause", err)
	}
	taken := len(readAll(t, client))
	if lost := r.Lost(); uint64(taken)+lost != size {
		t.Errorf("the program wrote %d bytes: %d arrived, %d are called lost", size, taken, lost)
	}
	closeFiles(t, grandchild)
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	server.close()
	waitGoroutines(t, before)
}

// TestRelay_DrainContextEnds_LostIsCounted: what is lost is the rest of the chunk on its way to a
// reader that took one byte of it, and what the program's pipe still holds.
func TestRelay_DrainContextEnds_LostIsCounted(t *testing.T) {
	src, program, err := outputPipe()
	if err != nil {
		t.Fatal(err)
	}
	reader, conn := net.Pipe()
	var lost atomic.Uint64
	o := newOutput("stdout", newSink(conn, nil, 0), &lost)
	o.use(src)
	write(t, program, "on its way")
	ctx, cancel := context.WithCancelCause(t.Context())
	go o.run(ctx)
	if _, err := io.ReadFull(reader, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	write(t, program, "in the pipe")
	cancel(io.ErrNoProgress)
	o.interrupt()
	<-o.done
	if got, want := lost.Load(), uint64(len("n its way"+"in the pipe")); got != want || !errors.Is(o.cause, io.ErrNoProgress) {
		t.Errorf("%d bytes are called lost, want %d; cut %v", got, want, o.cause)
	}
	closeFiles(t, program)
}

func TestRelay_CloseBeforeStart_ClosesAllEnds(t *testing.T) {
	before := runtime.NumGoroutine()
	stdin, stdout := listen(t), listen(t)
	r := open(t, Config{Stdin: stdin.path, Stdout: stdout.path})
	r.CloseStdin()
	if _, err := r.Drain(t.Context()); err != nil {
		t.Errorf("Drain of a program that never started = %v", err)
	}
	for range 2 {
		if err := r.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
	}
	r.Start() // Too late, and harmless.
	if in, out, err := child(t, r); in != nil || out != nil || err != nil {
		t.Error("Child returns files after Close")
	}
	stdin.close()
	stdout.close()
	waitGoroutines(t, before)
}

func TestRelay_CloseWhileRunning_EndsStreams(t *testing.T) {
	before := runtime.NumGoroutine()
	stdin, stdout, stderr := listen(t), listen(t), listen(t)
	r := open(t, Config{Stdin: stdin.path, Stdout: stdout.path, Stderr: stderr.path})
	in, out, errFile := child(t, r)
	files := []*os.File{dup(t, in), dup(t, out), dup(t, errFile)}
	r.Start()
	for _, pair := range []struct {
		from io.Writer
		to   io.Reader
	}{{stdin.accept(t), files[0]}, {files[1], stdout.accept(t)}, {files[2], stderr.accept(t)}} {
		write(t, pair.from, "x")
		if _, err := io.ReadFull(pair.to, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Close(); err != nil {
		t.Errorf("Close = %v", err)
	}
	if _, err := r.Drain(t.Context()); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Drain after Close = %v, want os.ErrClosed", err)
	}
	closeFiles(t, files...)
	stdin.close()
	stdout.close()
	stderr.close()
	waitGoroutines(t, before)
}

func TestOpen_BadConfig_Refused(t *testing.T) {
	before := runtime.NumGoroutine()
	server := listen(t)
	for name, tc := range map[string]struct {
		c     Config
		field string
		class error
	}{
		"terminal with stderr": {Config{Stdout: server.path, Stderr: server.path, Terminal: true}, "stderr", errdefs.ErrFailedPrecondition},
		"unknown scheme":       {Config{Stdin: server.path, Stdout: "https://x/y"}, "stdout", errdefs.ErrInvalidArgument},
		"logging for stdin":    {Config{Stdin: "binary:///x?key=secret", Stdout: server.path}, "stdin", errdefs.ErrInvalidArgument},
		"no listener":          {Config{Stdout: server.path, Stderr: server.path + "x"}, "stderr", errdefs.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Open(t.Context(), tc.c)
			if !errors.Is(err, tc.class) || !bytes.Contains([]byte(err.Error()), []byte(tc.field)) {
				t.Errorf("Open = %v, want class %v and the field %s", err, tc.class, tc.field)
			}
		})
	}
	server.close()
	waitGoroutines(t, before)
}

// child has the program's ends made.
func child(t testing.TB, r *Relay) (stdin, stdout, stderr *os.File) {
	t.Helper()
	stdin, stdout, stderr, err := r.Pipes()
	if err != nil {
		t.Fatal(err)
	}
	return stdin, stdout, stderr
}
