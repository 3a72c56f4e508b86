// Package event sends the shim's events to containerd, in order and without blocking their senders.
//
// [Publisher.Publish] puts an event into a queue and returns. One goroutine sends the head of the queue until
// containerd has received it, then the next: an event never overtakes another, and one that was received is not sent
// again. While containerd is away the queue grows up to its bound; what does not fit is dropped, newest first, and counted.
package event

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/containerd/containerd/api/events"
	"github.com/containerd/containerd/api/types"
	"github.com/containerd/errdefs"
	"github.com/containerd/log"
	"github.com/containerd/typeurl/v2"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/siloshim/siloshim/internal/logfield"
	"github.com/siloshim/siloshim/internal/sleep"
)

// Bounds of a publisher.
const (
	// MaxQueued is how many bytes of events wait at most.
	MaxQueued = 64 << 10
	// sendTimeout bounds one attempt.
	sendTimeout = 5 * time.Second
	// Attempts are this far apart at first, then twice as far each time, up to maxPause.
	minPause = 50 * time.Millisecond
	maxPause = 5 * time.Second
)

// Publisher is an ordered queue of events. All methods are safe for concurrent use.
type Publisher struct {
	// Immutable after New.
	namespace string
	sender    Sender
	wake      chan struct{} // holds a token after notify
	stop      context.Context
	cancel    context.CancelFunc
	done      chan struct{} // closed when the goroutine has ended

	// mu guards the fields below.
	mu      sync.Mutex
	queue   []*types.Envelope
	size    int
	dropped uint64
	logged  uint64 // how many of the dropped events the log has reported
	full    bool   // the latest event was dropped
	closing bool
}

// New starts a publisher for a namespace. Close it.
func New(namespace string, s Sender) *Publisher {
	p := &Publisher{namespace: namespace, sender: s, wake: make(chan struct{}, 1), done: make(chan struct{})}
	p.stop, p.cancel = context.WithCancel(context.Background())
	go p.send() // Close waits for it
	return p
}

// Publish queues an event of containerd's api/events. It never blocks.
func (p *Publisher) Publish(event any) {
	topic := Topic(event)
	body, err := typeurl.MarshalAnyToProto(event)
	if err != nil || topic == "" {
		log.L.WithField(logfield.Topic, topic).WithError(err).Errorf("encode event %T", event)
		return
	}
	e := &types.Envelope{Timestamp: timestamppb.Now(), Namespace: p.namespace, Topic: topic, Event: body}
	p.mu.Lock()
	full := p.closing || p.size+proto.Size(e) > MaxQueued
	first := full && !p.full
	if p.full = full; full {
		p.dropped++
	} else {
		p.queue, p.size = append(p.queue, e), p.size+proto.Size(e)
	}
	p.mu.Unlock()
	switch {
	case first: // one line for events dropped in a row
		log.L.WithField(logfield.Topic, topic).Warn("events are dropped: the queue is full while containerd receives none")
	case !full:
		p.notify()
	}
}

// notify wakes the goroutine, if it waits.
func (p *Publisher) notify() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// head returns the event to send next, or nil. At the end of a queue that is closing end is true.
func (p *Publisher) head() (e *types.Envelope, end bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.queue) > 0 {
		return p.queue[0], false
	}
	return nil, p.closing
}

// removeHead removes the event that was sent.
func (p *Publisher) removeHead() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.size -= proto.Size(p.queue[0])
	p.queue[0] = nil
	p.queue = p.queue[1:]
}

// logDropped logs how many events were dropped, once containerd receives events again.
func (p *Publisher) logDropped() {
	p.mu.Lock()
	count := p.dropped - p.logged
	p.logged = p.dropped
	p.mu.Unlock()
	if count > 0 {
		log.L.Warnf("%d events were dropped while containerd received none", count)
	}
}

// send sends the queue to containerd until Close.
func (p *Publisher) send() {
	defer close(p.done)
	pause := minPause
	for {
		e, end := p.head()
		switch {
		case end:
			return
		case e == nil:
			if !p.await() {
				return
			}
			continue
		}
		err := p.forward(e)
		if errdefs.IsInvalidArgument(err) {
			log.L.WithField(logfield.Topic, e.Topic).WithError(err).Error("containerd refused an event") // it must not hold up the others
			err = nil
		}
		if err == nil {
			p.removeHead()
			p.logDropped()
			pause = minPause
			continue
		}
		log.L.WithField(logfield.Topic, e.Topic).WithError(err).Debug("an event was not delivered and will be sent again")
		if sleep.For(p.stop, pause) != nil {
			return
		}
		pause = min(2*pause, maxPause)
	}
}

func (p *Publisher) forward(e *types.Envelope) error {
	ctx, cancel := context.WithTimeout(p.stop, sendTimeout)
	defer cancel()
	err := p.sender.Forward(ctx, e)
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("send event: not done within %v: %w", sendTimeout, err)
	}
	return err
}

// await waits for notify. It returns false once the publisher must stop.
func (p *Publisher) await() bool {
	select {
	case <-p.wake:
		return true
	case <-p.stop.Done():
		return false
	}
}

// Close sends what is queued and ends the publisher. When ctx is done first, the rest is dropped, and the error has how
// many events that were.
func (p *Publisher) Close(ctx context.Context) error {
	p.mu.Lock()
	p.closing = true
	p.mu.Unlock()
	p.notify()
	select {
	case <-p.done:
	case <-ctx.Done():
	}
	p.cancel()
	<-p.done
	p.mu.Lock()
	left := len(p.queue)
	p.mu.Unlock()
	err := p.sender.Close()
	if left > 0 {
		err = errors.Join(fmt.Errorf("close publisher: %d events were not delivered to containerd", left), err)
	}
	return err
}

// Topic returns the topic that containerd expects for an event, "" for an event that is no task's.
// See https://github.com/containerd/containerd/blob/main/core/runtime/v2/README.md#events.
func Topic(event any) string {
	switch event.(type) {
	case *events.TaskCreate:
		return "/tasks/create"
	case *events.TaskStart:
		return "/tasks/start"
	case *events.TaskOOM:
		return "/tasks/oom"
	case *events.TaskExit:
		return "/tasks/exit"
	case *events.TaskDelete:
		return "/tasks/delete"
	case *events.TaskExecAdded:
		return "/tasks/exec-added"
	case *events.TaskExecStarted:
		return "/tasks/exec-started"
	case *events.TaskPaused:
		return "/tasks/paused"
	case *events.TaskResumed:
		return "/tasks/resumed"
	case *events.TaskCheckpointed:
		return "/tasks/checkpointed"
	}
	return ""
}
