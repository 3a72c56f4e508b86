package task

import (
	"context"
	"fmt"
	"time"

	"github.com/containerd/containerd/api/events"
)

// Pause suspends every process of the task and emits the event once none runs. It fails with
// [errdefs.ErrFailedPrecondition] unless the task is Running, and with [container.ErrUnsupported] if the container cannot
// pause. A paused task can be killed; nothing can be started in it.
func (t *Task) Pause(ctx context.Context) error {
	return t.setPaused(ctx, Pause, t.container.Pause, &events.TaskPaused{ContainerID: t.ID})
}

// Resume undoes [Task.Pause].
func (t *Task) Resume(ctx context.Context) error {
	return t.setPaused(ctx, Resume, t.container.Resume, &events.TaskResumed{ContainerID: t.ID})
}

// setPaused pauses or resumes, one call at a time. It returns within its bound even if the container does not. The call then
// goes on, and changes the state when it succeeds.
func (t *Task) setPaused(ctx context.Context, op Op, act func(context.Context) error, event any) error {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, t.bounds.Pause)
	defer cancel()
	if err := t.pauseMu.Lock(ctx); err != nil {
		return fmt.Errorf("%s task %s: %w", op, t.ID, err)
	}
	answer := make(chan error, 1)
	go func() { // ends when the container answers
		defer t.pauseMu.Unlock()
		answer <- t.callAndStep(op, func() error { return act(ctx) }, event)
	}()
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return fmt.Errorf("%s task %s: no answer after %s: %w", op, t.ID, time.Since(began).Round(time.Millisecond), ctx.Err())
	}
}

// callAndStep changes the state after the container has changed: a client that reads Paused may rely on it.
func (t *Task) callAndStep(op Op, act func() error, event any) error {
	if err := t.Init.check(op); err != nil {
		return err
	}
	if err := act(); err != nil {
		return fmt.Errorf("%s task %s: %w", op, t.ID, err)
	}
	// If init has ended meanwhile the step fails. Its container has then ended too, paused or not.
	return t.Init.stepAndEmit(op, nil, func(Status) { t.emit(event) })
}
