package task

import (
	"context"
	"fmt"

	"github.com/containerd/containerd/api/events"
)

// Pause stops every process of the task without ending any, and announces it when none runs. It fails with
// [errdefs.ErrFailedPrecondition] unless the task is Running, and with [container.ErrUnsupported] where the container
// cannot pause. A paused task can be killed; nothing can be started in it.
func (t *Task) Pause(ctx context.Context) error {
	return t.hold(ctx, Pause, t.container.Pause, &events.TaskPaused{ContainerID: t.ID})
}

// Resume undoes [Task.Pause].
func (t *Task) Resume(ctx context.Context) error {
	return t.hold(ctx, Resume, t.container.Resume, &events.TaskResumed{ContainerID: t.ID})
}

// hold pauses or resumes, one at a time. It answers by its bound even if the container does not; whatever that comes to
// in the end then shows in the state and is announced.
func (t *Task) hold(ctx context.Context, op Op, act func(context.Context) error, event any) error {
	ctx, cancel := context.WithTimeout(ctx, t.bounds.Pause)
	defer cancel()
	select {
	case t.turn <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("%s task %s: another pause or resume goes on: %w", op, t.ID, ctx.Err())
	}
	answer := make(chan error, 1)
	go func() { // ends when the container answers
		defer func() { <-t.turn }()
		answer <- t.turnTo(op, func() error { return act(ctx) }, event)
	}()
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return fmt.Errorf("%s task %s: %w", op, t.ID, ctx.Err())
	}
}

// turnTo changes the state once the container has done it: who sees Paused may rely on it.
func (t *Task) turnTo(op Op, act func() error, event any) error {
	if err := t.Init.can(op); err != nil {
		return err
	}
	if err := act(); err != nil {
		return fmt.Errorf("%s task %s: %w", op, t.ID, err)
	}
	// Init may have ended meanwhile; its container is then ended as well, paused or not.
	return t.Init.tell(op, nil, func(Status) { t.emit(event) })
}
