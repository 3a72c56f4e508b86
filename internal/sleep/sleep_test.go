package sleep

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestFor_TimePasses_ReturnsNil(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if err := For(t.Context(), time.Minute); err != nil || time.Since(began) != time.Minute {
			t.Errorf("%v after %v, want nil after 1m", err, time.Since(began))
		}
	})
}

func TestFor_ContextEnds_ReturnsItsCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("shut down")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, cause)
		defer cancel()
		began := time.Now()
		if err := For(ctx, time.Minute); !errors.Is(err, cause) || time.Since(began) != time.Second {
			t.Errorf("%v after %v, want %v after 1s", err, time.Since(began), cause)
		}
		if err := For(ctx, 0); !errors.Is(err, cause) {
			t.Errorf("without a time: %v, want %v", err, cause)
		}
	})
}
