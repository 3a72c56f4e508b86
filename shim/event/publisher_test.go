package event_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/containerd/containerd/api/events"
	"github.com/containerd/containerd/api/types"
	"github.com/containerd/errdefs"
	"github.com/containerd/log"
	"github.com/containerd/typeurl/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/shim/event"
)

// daemon takes events while it is up.
type daemon struct {
	mu    sync.Mutex
	down  bool
	taken []string
	// refused is the container whose events are not to containerd's liking.
	refused string
}

func (d *daemon) Close() error { return nil }

func (d *daemon) Forward(_ context.Context, e *types.Envelope) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.down {
		return errors.New("containerd is away")
	}
	body, err := typeurl.UnmarshalAny(e.Event)
	if err != nil {
		return err
	}
	if id := body.(*events.TaskStart).ContainerID; id == d.refused {
		return fmt.Errorf("id %q: %w", id, errdefs.ErrInvalidArgument)
	}
	d.taken = append(d.taken, fmt.Sprintf("%s %s %s", e.Namespace, e.Topic, body.(*events.TaskStart).ContainerID))
	return nil
}

func (d *daemon) set(down bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.down = down
}

func numbered(n int) (want []string) {
	for i := range n {
		want = append(want, fmt.Sprintf("ns /tasks/start %d", i))
	}
	return want
}

func TestPublisher_Outage_OrderHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &daemon{}
		p := event.New("ns", d)
		const n = 100
		for i := range n {
			d.set(i > 20 && i < 80)
			p.Publish(&events.TaskStart{ContainerID: fmt.Sprint(i)})
			time.Sleep(20 * time.Millisecond) // the bubble's clock
		}
		if err := p.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(numbered(n), d.taken); diff != "" {
			t.Errorf("taken (-want +got):\n%s", diff)
		}
		if p.Dropped() != 0 {
			t.Errorf("%d dropped, want none", p.Dropped())
		}
	})
}

func TestPublisher_OutageOfADay_QueueIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var journal bytes.Buffer
		before := log.L.Logger.Out
		log.L.Logger.SetOutput(&journal)
		defer log.L.Logger.SetOutput(before)
		d := &daemon{down: true}
		p := event.New("ns", d)
		const n = 10_000
		for i := range n {
			p.Publish(&events.TaskStart{ContainerID: fmt.Sprint(i)})
		}
		time.Sleep(24 * time.Hour) // the bubble's clock
		d.set(false)
		if err := p.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		kept := len(d.taken)
		if kept == 0 || kept+int(p.Dropped()) != n {
			t.Errorf("%d taken and %d dropped of %d", kept, p.Dropped(), n)
		}
		if diff := cmp.Diff(numbered(kept), d.taken); diff != "" {
			t.Errorf("taken (-want +got):\n%s", diff)
		}
		if want := fmt.Sprint(p.Dropped(), " events were dropped"); !strings.Contains(journal.String(), want) {
			t.Errorf("the log says %q, want %q", journal.String(), want)
		}
	})
}

func TestPublisher_CloseContextEnds_ReportsUndelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := event.New("ns", &daemon{down: true})
		p.Publish(&events.TaskStart{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := p.Close(ctx); err == nil {
			t.Error("close succeeded with an event that was never taken")
		}
	})
}

func TestPublisher_EventRefused_OthersSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &daemon{refused: "bad"}
		p := event.New("ns", d)
		for _, id := range []string{"0", "bad", "1"} {
			p.Publish(&events.TaskStart{ContainerID: id})
		}
		if err := p.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(numbered(2), d.taken); diff != "" {
			t.Errorf("taken (-want +got):\n%s", diff)
		}
	})
}

func TestTopic_EachEvent_TopicOfContainerd(t *testing.T) {
	for want, e := range map[string]any{
		"/tasks/create": &events.TaskCreate{}, "/tasks/start": &events.TaskStart{}, "/tasks/oom": &events.TaskOOM{},
		"/tasks/exit": &events.TaskExit{}, "/tasks/delete": &events.TaskDelete{},
		"/tasks/exec-added": &events.TaskExecAdded{}, "/tasks/exec-started": &events.TaskExecStarted{},
		"/tasks/paused": &events.TaskPaused{}, "/tasks/resumed": &events.TaskResumed{},
		"/tasks/checkpointed": &events.TaskCheckpointed{}, "": &events.ContainerCreate{},
	} {
		if got := event.Topic(e); got != want {
			t.Errorf("topic of %T is %q, want %q", e, got, want)
		}
	}
}
