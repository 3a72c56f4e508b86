package engine_test

import (
	"context"
	"errors"
	"testing"

	"github.com/siloshim/siloshim/container/engine"
	"github.com/siloshim/siloshim/container/hostprocess"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// hangingKernel hangs in some calls until release is closed.
type hangingKernel struct {
	*jobtest.Kernel
	entered chan string // the call that hangs now
	release chan struct{}
}

func (k *hangingKernel) Freeze(h jobobject.Handle, freeze bool) error {
	k.entered <- "Freeze"
	<-k.release
	return k.Kernel.Freeze(h, freeze)
}

func (k *hangingKernel) QueryLimits(h jobobject.Handle, part jobobject.LimitPart, l *jobobject.Limits) error {
	k.entered <- "QueryLimits"
	<-k.release
	return k.Kernel.QueryLimits(h, part, l)
}

// A request that waits for another ends with its context, and has no effect later. A query does not wait.
func TestHostProcess_KernelHangs_NextRequestEndsWithContext(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tt := range []struct {
		name        string
		first, next func(*hostprocess.Container, context.Context) error
	}{
		{"resume behind pause", (*hostprocess.Container).Pause, (*hostprocess.Container).Resume},
		{"pause behind pause", (*hostprocess.Container).Pause, (*hostprocess.Container).Pause},
		{"update behind update", update, update},
		{"limits behind update", update, func(j *hostprocess.Container, ctx context.Context) error {
			if got := j.Status().Limits["memory_bytes"]; got != uint64(32<<20) {
				t.Errorf("memory limit %v during an update, want the one before", got)
			}
			return ctx.Err()
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := &hangingKernel{jobtest.New(), make(chan string, 100), make(chan struct{})}
			c, err := engine.Engine{Kernel: k}.HostProcess(t.Context(), "ns", "c", t.TempDir(), &plan.HostProcess{
				InheritUser: true, Limits: jobobject.Limits{JobMemory: 32 << 20},
			})
			if err != nil {
				t.Fatal(err)
			}
			j := c.(*hostprocess.Container)
			done := make(chan error, 1)
			go func() { done <- tt.first(j, t.Context()) }()
			<-k.entered
			if err := tt.next(j, over); !errors.Is(err, context.Canceled) {
				t.Errorf("behind a call that hangs: %v, want the end of its context", err)
			}
			close(k.release)
			if err := <-done; err != nil {
				t.Error(err)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func update(j *hostprocess.Container, ctx context.Context) error {
	return j.Update(ctx, resources(), nil)
}
