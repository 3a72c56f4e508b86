package service

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestWithTimeout_CallHangs_ErrorNamesCallAndTime: if the call succeeds later it is undone.
func TestWithTimeout_CallHangs_ErrorNamesCallAndTime(t *testing.T) {
	for name, tt := range map[string]struct {
		late   func() error
		undone bool
	}{
		"and succeeds": {func() error { return nil }, true},
		"and fails":    {func() error { return errors.New("boom") }, false},
		"and panics":   {func() error { panic("boom") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hung, undone := make(chan struct{}), false
				create := withTimeout("Create", createTimeout, func(context.Context, *empty) (*empty, error) {
					<-hung
					return &empty{}, tt.late()
				}, func(*empty) { undone = true })
				began := time.Now()
				_, err := create(t.Context(), &empty{})
				if took := time.Since(began); took != createTimeout || !errors.Is(err, context.DeadlineExceeded) ||
					err.Error() != "Create: no answer after 5m0s: context deadline exceeded" {
					t.Errorf("%v after %s", err, took)
				}
				close(hung)
				synctest.Wait()
				if undone != tt.undone {
					t.Errorf("undone: %v, want %v", undone, tt.undone)
				}
			})
		})
	}
}

// TestWithTimeout_CallPanics_PanicsOnTheGoroutineOfTheRequest, where the interceptor recovers.
func TestWithTimeout_CallPanics_PanicsOnTheGoroutineOfTheRequest(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	_, _ = withTimeout("State", time.Hour, func(context.Context, *empty) (*empty, error) { panic("boom") }, nil)(t.Context(), &empty{})
}

func TestDetachAfterPrompt_CallHangs_SucceedsAfterPromptTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hung, began := make(chan struct{}), time.Now()
		err := detachAfterPrompt(t.Context(), "Kill", func() error { <-hung; return errors.New("boom") })
		if took := time.Since(began); err != nil || took != promptTimeout {
			t.Errorf("%v after %s", err, took)
		}
		close(hung)
	})
	if err := detachAfterPrompt(t.Context(), "Kill", func() error { return errors.New("boom") }); err == nil {
		t.Error("the error of a call in time is lost")
	}
}
