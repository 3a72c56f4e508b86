package jobobject_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/siloshim/siloshim/jobobject"
)

// TestJobClose_DuringCalls_TheyReturnErrClosed closes a job while every other method is being called:
// each call ends, and says ErrClosed if it says anything.
func TestJobClose_DuringCalls_TheyReturnErrClosed(t *testing.T) {
	for range 20 {
		k, j := newKernel(t, jobobject.Options{KillOnClose: true, TrackIO: true})
		if err := j.PromoteToSilo(); err != nil {
			t.Fatal(err)
		}
		startLasting(t, j, 2)
		calls := []func() error{
			func() error { return j.SetLimits(t.Context(), jobobject.Limits{KillOnClose: true, CPURate: 7}) },
			func() error { return j.SetLimits(t.Context(), jobobject.Limits{KillOnClose: true, CPUWeight: 7}) },
			func() error { _, err := j.QueryLimits(t.Context()); return err },
			func() error { return j.SetNotificationLimits(jobobject.NotificationLimits{HighMemory: 1}) },
			func() error { _, err := j.NotificationLimits(); return err },
			func() error { _, err := j.Violation(); return err },
			func() error { return errors.Join(j.Freeze(), j.Thaw()) },
			func() error { _, err := j.Silo(); return err },
			func() error { return j.Bind(jobobject.Mapping{Root: "a", Target: "b", Merged: true}) },
			func() error { _, err := j.Accounting(); return err },
			func() error { _, err := j.Storage(); return err },
			func() error { _, err := j.PrivateWorkingSet(); return err },
			func() error { _, err := j.Pids(); return err },
		}
		var wg sync.WaitGroup
		begun := make(chan struct{}, len(calls))
		for i, call := range calls {
			wg.Go(func() {
				var err error
				for n := 0; err == nil; n++ {
					if err = call(); n == 0 {
						begun <- struct{}{}
					}
				}
				if !errors.Is(err, jobobject.ErrClosed) {
					t.Errorf("call %d: %v, want ErrClosed", i, err)
				}
			})
		}
		for range calls {
			<-begun
		}
		if err := j.Close(); err != nil {
			t.Error(err)
		}
		wg.Wait()
		k.Wait()
	}
}
