package stdio

import (
	"io"
	"testing"
)

// BenchmarkOutput carries what a program writes to a reader without a buffer, which is containerd's, 32 KiB at a time.
func BenchmarkOutput(b *testing.B) {
	l, path, err := listenPipe("silo-bench-" + b.Name())
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	taken := make(chan int64, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			taken <- 0
			return
		}
		n, _ := io.CopyBuffer(struct{ io.Writer }{io.Discard}, conn, make([]byte, 32<<10))
		_ = conn.Close()
		taken <- n
	}()
	r, err := Open(b.Context(), Config{Stdout: path})
	if err != nil {
		b.Fatal(err)
	}
	src, program, err := outputPipe()
	if err != nil {
		b.Fatal(err)
	}
	r.Use(nil, src, nil)
	r.Start()
	text := make([]byte, 32<<10)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := program.Write(text); err != nil {
			b.Fatal(err)
		}
	}
	_ = program.Close()
	if _, err := r.Drain(b.Context()); err != nil {
		b.Fatal(err)
	}
	if err := r.Close(); err != nil {
		b.Fatal(err)
	}
	if n := <-taken; n < int64(b.N)*int64(len(text)) {
		b.Errorf("%d bytes arrived of %d", n, int64(b.N)*int64(len(text)))
	}
}
