package jobobject_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// TestWaitEmpty_Message_EndsTheWaitAtOnce is about the message: without it the wait would last until
// the next look, of which the fake clock tells.
func TestWaitEmpty_Message_EndsTheWaitAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, j := newKernel(t, jobobject.Options{})
		startLasting(t, j, 1)
		begun := time.Now()
		time.AfterFunc(time.Hour+time.Millisecond, func() {
			if err := j.Terminate(0); err != nil {
				t.Error(err)
			}
		})
		if err := j.WaitEmpty(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took != time.Hour+time.Millisecond {
			t.Errorf("the wait lasted %v", took)
		}
	})
}

func TestWaitEmpty_MessageLost_EndsWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, j := newKernel(t, jobobject.Options{})
		k.Lose(jobobject.ActiveProcessZero, -1)
		startLasting(t, j, 1)
		begun := time.Now()
		time.AfterFunc(time.Hour, func() {
			if err := j.Terminate(0); err != nil {
				t.Error(err)
			}
		})
		if err := j.WaitEmpty(t.Context()); err != nil {
			t.Fatal(err)
		}
		if late := time.Since(begun) - time.Hour; late > time.Second {
			t.Errorf("the wait ended %v late", late)
		}
		if n := k.Calls("Accounting"); n > 3700 {
			t.Errorf("looked %d times in an hour", n)
		}
	})
}

func TestWaitEmpty_JobClosed_ReturnsErrClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, j := newKernel(t, jobobject.Options{KillOnClose: true})
		startLasting(t, j, 1)
		waited := make(chan error)
		go func() { waited <- j.WaitEmpty(context.Background()) }()
		synctest.Wait()
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-waited; !errors.Is(err, jobobject.ErrClosed) {
			t.Errorf("wait through close: %v, want ErrClosed", err)
		}
		k.Wait()
	})
}

// TestMessages_NoReader_FurtherOnesAreDropped has a reader that never reads: the port must go on.
func TestMessages_NoReader_FurtherOnesAreDropped(t *testing.T) {
	k, j := newKernel(t, jobobject.Options{})
	messages := j.Messages()
	k.Program("quick.exe", func(*jobtest.Proc) uint32 { return 0 })
	for range 200 {
		p, err := j.Start(jobobject.ProcessOptions{CommandLine: "quick.exe"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for len(messages) < cap(messages) {
		runtime.Gosched() // the port's reader has them all to itself
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	n := 0
	for range messages {
		n++
	}
	if n != 256 {
		t.Errorf("%d of 600 messages were kept, want 256", n)
	}
}

func TestMessageKind_String_IsName(t *testing.T) {
	for kind, want := range map[jobobject.MessageKind]string{
		jobobject.ActiveProcessZero: "active process zero",
		jobobject.MessageKind(77):   "message 77",
	} {
		if got := kind.String(); got != want {
			t.Errorf("String() = %q, want %q", got, want)
		}
	}
}
