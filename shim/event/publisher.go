package event

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/containerd/containerd/api/types"
	"github.com/containerd/errdefs"
	"github.com/containerd/log"
	"github.com/containerd/typeurl/v2"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/siloshim/siloshim/internal/logfield"
)

// Sender takes one event to containerd.
type Sender interface {
	// Forward returns nil once containerd has the event. It is sent again after an error, unless that is
	// [errdefs.ErrInvalidArgument]: containerd has seen it and will never take it.
	Forward(ctx context.Context, e *types.Envelope) error
	Close() error
}

// Bounds of a publisher.
const (
	// MaxQueued is how many bytes of events wait at most.
	MaxQueued = 64 << 10
	// sendLimit bounds one attempt.
	sendLimit = 5 * time.Second
	// Attempts are this far apart at first, then twice as far each time, up to maxPause.
	minPause = 50 * time.Millisecond
	maxPause = 5 * time.Second
)

// Publisher is an ordered queue of events. All methods are safe for concurrent use.
type Publisher struct {
	// Immutable after New.
	namespace string
	sender    Sender
	wake      chan struct{} // holds a token when there is something to do
	stop      context.Context
	cancel    context.CancelFunc
	done      chan struct{} // closed when the goroutine has ended

	// mu guards the fields below.
	mu      sync.Mutex
	queue   []*types.Envelope
	size    int
	dropped uint64
	told    uint64 // of the dropped ones, those that the log has the number of
	full    bool   // the latest event found no room
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
		log.L.WithField(logfield.Topic, topic).WithError(err).Errorf("event %T cannot be sent", event)
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
	case first: // one line for a row of them
		log.L.WithField(logfield.Topic, topic).Warn("events are dropped: containerd takes none and the queue is full")
	case !full:
		p.nudge()
	}
}

// Dropped counts the events that found no room.
func (p *Publisher) Dropped() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dropped
}

func (p *Publisher) nudge() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// head is the event to send next; none and closing is the end.
func (p *Publisher) head() (e *types.Envelope, end bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.queue) > 0 {
		return p.queue[0], false
	}
	return nil, p.closing
}

// taken removes the head.
func (p *Publisher) taken() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.size -= proto.Size(p.queue[0])
	p.queue[0] = nil
	p.queue = p.queue[1:]
}

// tell says how many events were dropped, once containerd takes events again.
func (p *Publisher) tell() {
	p.mu.Lock()
	news := p.dropped - p.told
	p.told = p.dropped
	p.mu.Unlock()
	if news > 0 {
		log.L.Warnf("%d events were dropped while containerd took none", news)
	}
}

// send takes the queue to containerd until Close.
func (p *Publisher) send() {
	defer close(p.done)
	pause := minPause
	for {
		e, end := p.head()
		switch {
		case end:
			return
		case e == nil:
			if !p.sleep(0) {
				return
			}
			continue
		}
		err := p.forward(e)
		if errdefs.IsInvalidArgument(err) {
			log.L.WithField(logfield.Topic, e.Topic).WithError(err).Error("event refused by containerd") // it must not hold up the others
			err = nil
		}
		if err == nil {
			p.taken()
			p.tell()
			pause = minPause
			continue
		}
		log.L.WithField(logfield.Topic, e.Topic).WithError(err).Debug("event not taken, it will be sent again")
		if !p.sleep(pause) {
			return
		}
		pause = min(2*pause, maxPause)
	}
}

func (p *Publisher) forward(e *types.Envelope) error {
	ctx, cancel := context.WithTimeout(p.stop, sendLimit)
	defer cancel()
	return p.sender.Forward(ctx, e)
}

// sleep waits for a pause, or without one for something to do. It is false once the publisher must stop.
func (p *Publisher) sleep(pause time.Duration) bool {
	if pause == 0 {
		select {
		case <-p.wake:
			return true
		case <-p.stop.Done():
			return false
		}
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-p.stop.Done():
		return false
	}
}

// Close sends what is queued and ends the publisher. When ctx is done first, the rest is given up and counted in the
// error.
func (p *Publisher) Close(ctx context.Context) error {
	p.mu.Lock()
	p.closing = true
	p.mu.Unlock()
	p.nudge()
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
		err = errors.Join(fmt.Errorf("%d events were not taken by containerd", left), err)
	}
	return err
}
