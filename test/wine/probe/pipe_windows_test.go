package probe

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"

	"github.com/Microsoft/go-winio"
	"golang.org/x/sys/windows"
)

// pipeName is unique to this run.
func pipeName(what string) string {
	return fmt.Sprintf(`\\.\pipe\siloshim-probe-%s-%d`, what, os.Getpid())
}

// listen makes a listener of go-winio that sends each client a greeting and disconnects.
func listen(t *testing.T, name string) {
	t.Helper()
	l, err := winio.ListenPipe(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() { // ends with the listener
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, "hello") // the client reports the result
			_ = c.Close()
		}
	}()
}

func greeting(t *testing.T, name string) string {
	t.Helper()
	var c net.Conn
	c, err := winio.DialPipeContext(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	text, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestPipe_FirstClient_IsServed(t *testing.T) {
	name := pipeName("first")
	listen(t, name)
	for i := range 3 {
		if got := greeting(t, name); got != "hello" {
			t.Errorf("client %d read %q", i, got)
		}
	}
}

// A client that connects while the listener is being created is served or refused.
func TestPipe_ClientBeforeListen_ServedOrRefused(t *testing.T) {
	for i := range 300 {
		name := pipeName(fmt.Sprintf("early-%d", i))
		got := make(chan string)
		go func() { // ends with the test
			for {
				text, err := os.ReadFile(name)
				if len(text) > 0 && err == nil {
					got <- string(text)
					return
				}
			}
		}()
		listen(t, name)
		if text := <-got; text != "hello" {
			t.Fatalf("the early client read %q", text)
		}
	}
}

func TestPipe_NameInUse_Refused(t *testing.T) {
	name := pipeName("taken")
	listen(t, name)
	l, err := winio.ListenPipe(name, nil)
	if err == nil {
		_ = l.Close()
	}
	if !errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		t.Errorf("second ListenPipe: %v, want access denied", err)
	}
	if got := greeting(t, name); got != "hello" {
		t.Errorf("the first listener then served %q", got)
	}
}

func TestPipe_ListenerClosed_NameIsFree(t *testing.T) {
	name := pipeName("again")
	for range 2 {
		l, err := winio.ListenPipe(name, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
