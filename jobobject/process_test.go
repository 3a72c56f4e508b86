package jobobject_test

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/siloshim/siloshim/jobobject"
)

// TestStartUnwatched: a process whose end nobody would hear of must not live.
func TestStartUnwatched(t *testing.T) {
	k, j := newKernel(t, jobobject.Options{})
	k.Fail("WatchExit", 1, errBroken)
	if _, err := j.Start(jobobject.ProcessOptions{CommandLine: "last.exe"}); !errors.Is(err, errBroken) {
		t.Fatalf("start: %v, want the fault", err)
	}
	k.Wait()
	if a, err := j.Accounting(); err != nil || a.Active != 0 || a.Total != 1 {
		t.Errorf("accounting = %+v, %v, want the process gone", a, err)
	}
}

func TestWaitForThePast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, j := newKernel(t, jobobject.Options{})
		p, err := j.Start(jobobject.ProcessOptions{CommandLine: "last.exe"})
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Terminate(4); err != nil {
			t.Fatal(err)
		}
		k.Wait()
		<-p.Exited()
		if code, err := p.Wait(t.Context()); err != nil || code != 4 {
			t.Errorf("exit code = %d, %v, want 4", code, err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if _, err := p.Wait(t.Context()); !errors.Is(err, jobobject.ErrClosed) {
			t.Errorf("wait after close: %v, want ErrClosed", err)
		}
	})
}

func TestConsole(t *testing.T) {
	c, in, out, err := jobobject.NewConsole(80, 25, nil)
	if errors.Is(err, jobobject.ErrNotSupported) {
		t.Skipf("the system has no pseudo console: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	defer out.Close()
	for range 2 {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := c.Resize(100, 30); !errors.Is(err, jobobject.ErrClosed) {
		t.Errorf("resize after close: %v, want ErrClosed", err)
	}
	if _, _, _, err := jobobject.NewConsole(0, 25, nil); err == nil {
		t.Error("a console without columns was made")
	}
}
