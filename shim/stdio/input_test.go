package stdio

import (
	"io"
	"runtime"
	"testing"
)

// TestRelay_CloseStdin_DeliversSentBytesFirst: the client sends more than the pipe to the
// program holds, calls CloseIO and keeps its end open. The program still gets
// every byte and then the end. The reference shim loses the tail.
func TestRelay_CloseStdin_DeliversSentBytesFirst(t *testing.T) {
	before := runtime.NumGoroutine()
	for _, size := range []int{0, 1, 32 << 10, 128 << 10, 1 << 20} {
		server := listen(t)
		r := open(t, Config{Stdin: server.path})
		in, _, _ := child(t, r)
		program := dup(t, in)
		client := server.accept(t)
		r.Start()

		read := make(chan string, 1)
		go func() {
			b, _ := io.ReadAll(program)
			read <- string(b)
		}()
		text := string(randomBytes(size))
		write(t, client, text)
		r.CloseStdin()
		r.CloseStdin()
		if got := <-read; got != text {
			t.Errorf("the program read %d of %d bytes, or others", len(got), size)
		}
		if err := r.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
		closeFiles(t, program)
		_ = client.Close()
		server.close()
	}
	waitGoroutines(t, before)
}

// TestRelay_CloseStdinBeforeStart_EndsInput: a client may send all it has and call CloseIO
// between Create and Start.
func TestRelay_CloseStdinBeforeStart_EndsInput(t *testing.T) {
	server := listenBuffered(t)
	r := open(t, Config{Stdin: server.path})
	in, _, _ := child(t, r)
	program := dup(t, in)
	write(t, server.accept(t), "early")
	r.CloseStdin()
	r.Start()
	if got := readAll(t, program); got != "early" {
		t.Errorf("the program read %q", got)
	}
}

// TestInput_ClientReturns_IsReadOn: a client hangs up and another comes in its place; the
// program reads both as one, and its stdin ends with CloseStdin alone.
func TestInput_ClientReturns_IsReadOn(t *testing.T) {
	before := runtime.NumGoroutine()
	first := listen(t)
	r := open(t, Config{Stdin: first.path})
	in, _, _ := child(t, r)
	program := dup(t, in)
	r.Start()
	client := first.accept(t)
	write(t, client, "one ")
	expect(t, program, "one ")
	closeClient(t, client)
	first.close()

	second := listenAt(t, first.path)
	client = second.accept(t)
	write(t, client, "two")
	r.CloseStdin()
	if got := readAll(t, program); got != "two" {
		t.Errorf("the program read %q from the second client", got)
	}
	closeClient(t, client)
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	closeFiles(t, program)
	second.close()
	waitGoroutines(t, before)
}

// TestRelay_CloseStdinWhileDetached_EndsInput: CloseStdin needs no client.
func TestRelay_CloseStdinWhileDetached_EndsInput(t *testing.T) {
	server := listen(t)
	r := open(t, Config{Stdin: server.path})
	in, _, _ := child(t, r)
	program := dup(t, in)
	r.Start()
	client := server.accept(t)
	write(t, client, "all of it")
	closeClient(t, client)
	server.close()
	expect(t, program, "all of it")
	r.CloseStdin()
	if got := readAll(t, program); got != "" {
		t.Errorf("the program read %q more", got)
	}
}

// TestInput_ProgramClosesStdin_ClientSeesIt: the client of a program that has closed its stdin sees
// a broken pipe, so that the client need not write for ever.
func TestInput_ProgramClosesStdin_ClientSeesIt(t *testing.T) {
	server := listen(t)
	r := open(t, Config{Stdin: server.path})
	in, _, _ := child(t, r)
	program := dup(t, in)
	r.Start()
	closeFiles(t, program)
	client := server.accept(t)
	for {
		if _, err := client.Write(randomBytes(chunkSize)); err != nil {
			break
		}
	}
}

// TestRelay_CloseWhileProgramReadsNothing_Returns: the relay is stuck writing to a program
// that never reads, and Close still ends it.
func TestRelay_CloseWhileProgramReadsNothing_Returns(t *testing.T) {
	before := runtime.NumGoroutine()
	server := listen(t)
	r := open(t, Config{Stdin: server.path})
	in, _, _ := child(t, r)
	program := dup(t, in)
	r.Start()
	client := server.accept(t)
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for {
			if _, err := client.Write(randomBytes(chunkSize)); err != nil {
				return
			}
		}
	}()
	r.CloseStdin()
	if err := r.Close(); err != nil {
		t.Errorf("Close = %v", err)
	}
	<-sent
	closeFiles(t, program)
	server.close()
	waitGoroutines(t, before)
}
