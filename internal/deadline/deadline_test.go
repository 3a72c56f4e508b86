package deadline

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestCall_Hangs_EndsWithTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hung := make(chan struct{})
		began := time.Now()
		err := Call(time.Minute, func() error { <-hung; return nil })
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Minute {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		close(hung)
	})
}

func TestValue_Returns_ResultAndError(t *testing.T) {
	boom := errors.New("boom")
	if n, err := Value(time.Hour, func() (int, error) { return 7, boom }); n != 7 || !errors.Is(err, boom) {
		t.Errorf("%d, %v", n, err)
	}
}

func TestLate_ReturnsAfterTheBound_LateGetsTheResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hung, got := make(chan struct{}), 0
		late := func(n int, _ error) { got = n }
		if n, err := Late(time.Minute, func() (int, error) { <-hung; return 7, nil }, late); n != 0 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%d, %v", n, err)
		}
		close(hung)
		synctest.Wait()
		if got != 7 {
			t.Errorf("late got %d, want 7", got)
		}
		if n, err := Late(time.Minute, func() (int, error) { return 8, nil }, late); n != 8 || err != nil || got != 7 {
			t.Errorf("in time: %d, %v; late got %d", n, err, got)
		}
	})
}

func TestMutex_Locked_WaitEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMutex()
		if err := m.Lock(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := m.Lock(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("locked twice: %v", err)
		}
		m.Unlock()
		if err := m.Lock(t.Context()); err != nil {
			t.Error(err)
		}
		m.Unlock()
		if err := m.Lock(ctx); err == nil {
			t.Error("a context that is done locks")
		}
	})
}
