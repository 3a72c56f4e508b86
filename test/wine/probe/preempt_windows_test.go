package probe

import (
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/Microsoft/go-winio"
)

// TestPipesAmongPreemptions: no message on a pipe is lost while Go stops threads of its own at any moment, as each garbage
// collection and each long computation makes it do.
func TestPipesAmongPreemptions(t *testing.T) {
	name := pipeName("preempt")
	echo(t, name)
	var done atomic.Bool
	var noise, clients sync.WaitGroup
	for range 2 {
		noise.Go(func() {
			for !done.Load() {
				step()
			}
		})
	}
	noise.Go(func() {
		for !done.Load() {
			runtime.GC()
		}
	})
	for range 4 {
		clients.Go(func() { converse(t, name, 2000) })
	}
	clients.Wait()
	done.Store(true)
	noise.Wait()
}

// step is a call, at which a goroutine yields if it is asked to.
//
//go:noinline
func step() {}

// echo makes a listener that sends each client back what it wrote.
func echo(t *testing.T, name string) {
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
			go func() {
				_, _ = io.Copy(c, c) // the client tells what it got
				_ = c.Close()
			}()
		}
	}()
}

// converse sends a byte and awaits it, so many times.
func converse(t *testing.T, name string, times int) {
	c, err := winio.DialPipeContext(t.Context(), name)
	if err != nil {
		t.Error(err)
		return
	}
	defer c.Close()
	for n := range times {
		sent, got := []byte{byte(n)}, make([]byte, 1)
		if _, err := c.Write(sent); err != nil {
			t.Error(err)
			return
		}
		if _, err := io.ReadFull(c, got); err != nil || got[0] != sent[0] {
			t.Errorf("message %d is %v, %v", n, got, err)
			return
		}
	}
}
