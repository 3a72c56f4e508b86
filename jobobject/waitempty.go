package jobobject

import (
	"context"
	"sync"
	"time"
)

// The intervals at which WaitEmpty queries the job, which double from the first to the last.
const (
	minPause = 10 * time.Millisecond
	maxPause = time.Second
)

// WaitEmpty returns nil as soon as the job has no member, at once if it has none now.
// ctx ends the wait early with its cause, Close ends it with [ErrClosed]. The message
// of the kernel wakes it. As a message may be lost, and an opened job receives none, it
// also queries the job at growing intervals of up to a second.
func (j *Job) WaitEmpty(ctx context.Context) error {
	const op = "wait for job"
	timer := time.NewTimer(minPause)
	defer timer.Stop()
	for pause := minPause; ; pause = min(2*pause, maxPause) {
		// Taken before the query, so that a message right after it is not missed.
		emptied := j.emptied.next()
		a, err := j.Accounting()
		if err != nil {
			return err
		}
		if a.Active == 0 {
			return nil
		}
		timer.Reset(pause)
		select {
		case <-emptied:
		case <-timer.C:
		case <-j.handle.Closed():
			return j.handle.fail(op, ErrClosed)
		case <-ctx.Done():
			return j.handle.fail(op, context.Cause(ctx))
		}
	}
}

// deliver is called by the port's reader and never blocks.
func (j *Job) deliver(m Message) {
	if m.Kind == ActiveProcessZero {
		j.emptied.send()
	}
	j.inbox.Put(m)
}

// broadcast wakes all who wait now. The zero value is ready.
type broadcast struct {
	mu sync.Mutex // guards c
	c  chan struct{}
}

// next returns a channel that the next send closes.
func (b *broadcast) next() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.c == nil {
		b.c = make(chan struct{})
	}
	return b.c
}

func (b *broadcast) send() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.c != nil {
		close(b.c)
		b.c = nil
	}
}
