package event_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/containerd/containerd/api/events"
	"github.com/containerd/containerd/api/types"
	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/shim/event"
)

// stopped is a containerd that is stopped for a while: it refuses what it is sent, or it never answers.
type stopped struct {
	daemon
	hangs    bool
	attempts int
}

func (s *stopped) Forward(ctx context.Context, e *types.Envelope) error {
	s.mu.Lock()
	down, hangs := s.down, s.hangs
	if down {
		s.attempts++
	}
	s.mu.Unlock()
	if down && hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	return s.daemon.Forward(ctx, e)
}

// TestPublisher_OutageOfADay_EventsReplayed stops containerd for a day in which a container starts every five minutes. Not one start is
// lost, doubled or late by more than the longest pause and attempt, and telling of one takes no time.
func TestPublisher_OutageOfADay_EventsReplayed(t *testing.T) {
	for name, hangs := range map[string]bool{"it refuses": false, "it hangs": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { outage(t, hangs) })
		})
	}
}

func outage(t *testing.T, hangs bool) {
	d := &stopped{hangs: hangs}
	d.down = true
	p := event.New("ns", d)
	const day, every = 24 * time.Hour, 5 * time.Minute
	const n = int(day / every)
	for i := range n {
		began := time.Now()
		p.Publish(&events.TaskStart{ContainerID: fmt.Sprint(i)})
		if d := time.Since(began); d != 0 {
			t.Errorf("event %d: telling took %v", i, d)
		}
		time.Sleep(every) // the bubble's clock
	}
	d.set(false)
	time.Sleep(10 * time.Second) // the bubble's clock: the longest pause and the longest attempt
	synctest.Wait()
	d.mu.Lock()
	if diff := cmp.Diff(numbered(n), d.taken); diff != "" {
		t.Errorf("taken (-want +got):\n%s", diff)
	}
	// A pause of five seconds between two attempts is what an absent containerd costs.
	if most := int(day/(5*time.Second)) + 10; d.attempts > most {
		t.Errorf("%d attempts in a day, want at most %d", d.attempts, most)
	}
	d.mu.Unlock()
	if p.Dropped() != 0 {
		t.Errorf("%d dropped, want none", p.Dropped())
	}
	if err := p.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// BenchmarkPublishWithoutContainerd is what an event adds to the request that leads to it while containerd is away.
func BenchmarkPublishWithoutContainerd(b *testing.B) {
	d := &daemon{down: true}
	p := event.New("ns", d)
	for b.Loop() {
		p.Publish(&events.TaskStart{ContainerID: "c", Pid: 4711})
	}
	d.set(false)
	if err := p.Close(context.Background()); err != nil {
		b.Fatal(err)
	}
}
