package stdio

import (
	"os"
	"runtime"
	"testing"

	"github.com/siloshim/siloshim/internal/pipe"
)

// TestRelay_Console_CarriesBothWays: what is typed and printed is delivered, and Close closes both.
func TestRelay_Console_CarriesBothWays(t *testing.T) {
	before := runtime.NumGoroutine()
	stdin, stdout := listen(t), listen(t)
	r := open(t, Config{Stdin: stdin.path, Stdout: stdout.path, Terminal: true})
	if in, out, errFile := child(t, r); in != nil || out != nil || errFile != nil {
		t.Error("a terminal has pipes as well")
	}
	c := newConsole(t)
	r.Use(c.in, c.out, nil)
	r.Start()

	client, viewer := stdin.accept(t), stdout.accept(t)
	write(t, client, "dir\r")
	typed := make([]byte, 4)
	if _, err := c.keyboard.Read(typed); err != nil || string(typed) != "dir\r" {
		t.Fatalf("the console read %q, error %v", typed, err)
	}
	write(t, c.screen, "C:\\>")
	closeFiles(t, c.screen)
	if got := readAll(t, viewer); got != "C:\\>" {
		t.Errorf("the client saw %q", got)
	}
	finish(t, r)
	if got := readAll(t, c.keyboard); got != "" {
		t.Errorf("the console read %q after the client's end", got)
	}
	closeFiles(t, c.keyboard)
	_ = client.Close()
	stdin.close()
	stdout.close()
	waitGoroutines(t, before)
}

// TestRelay_ConsoleClientDetaches_InputStaysOpen: a client that leaves does not hang up the console.
func TestRelay_ConsoleClientDetaches_InputStaysOpen(t *testing.T) {
	server := listenBuffered(t)
	conn, err := pipe.Dial(t.Context(), server.path)
	if err != nil {
		t.Fatal(err)
	}
	c := newConsole(t)
	in := newInput(conn, nil)
	in.use(c.in, true)
	client := server.accept(t)
	write(t, client, "exit")
	in.finish()
	in.run(t.Context())
	_ = client.Close()
	write(t, c.in, "!")
	if err := in.close(); err != nil {
		t.Error(err)
	}
	if got := readAll(t, c.keyboard); got != "exit!" {
		t.Errorf("the console read %q", got)
	}
}

// TestRelay_ConsoleWithoutClient_RunsOn: no stream is connected. The program runs on, and
// what it prints is read, so that it never blocks.
func TestRelay_ConsoleWithoutClient_RunsOn(t *testing.T) {
	r := open(t, Config{Terminal: true})
	c := newConsole(t)
	r.Use(c.in, c.out, nil)
	r.Start()
	write(t, c.screen, string(randomBytes(1<<20)))
	closeFiles(t, c.screen)
	finish(t, r)
	if got := readAll(t, c.keyboard); got != "" {
		t.Errorf("the console read %q", got)
	}
}

func TestRelay_NoConsole_DrainReturns(t *testing.T) {
	stdin, stdout := listen(t), listen(t)
	r := open(t, Config{Stdin: stdin.path, Stdout: stdout.path, Terminal: true})
	r.Start()
	finish(t, r)
}

// console is a fake of a pseudo console: two pipes.
type console struct {
	in, out          *os.File // the shim's ends
	keyboard, screen *os.File // the console's
}

func newConsole(t *testing.T) console {
	t.Helper()
	in, keyboard, err := inputPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, screen, err := outputPipe()
	if err != nil {
		t.Fatal(err)
	}
	c := console{in, out, keyboard, screen}
	t.Cleanup(func() { closeAll(c.in, c.out, c.keyboard, c.screen) })
	return c
}
