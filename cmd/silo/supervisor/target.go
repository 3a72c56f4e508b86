package supervisor

import (
	"io"
	"sync"
	"time"

	"github.com/siloshim/siloshim/internal/logfile"
)

// Target is a destination of output that fails by itself: its Write takes everything, counts what the destination did not
// take, and tries again with the next output. A slow destination blocks. It is safe for concurrent use.
type Target struct {
	// Immutable.
	to      io.Writer
	changed func()

	mu      sync.Mutex // held over each write
	failure logfile.Failure
}

// NewTarget returns the target of a writer. changed is called after each change of [Target.Failure]; it may be nil, and must
// neither block nor call the Target.
func NewTarget(to io.Writer, changed func()) *Target {
	if changed == nil {
		changed = func() {}
	}
	return &Target{to: to, changed: changed}
}

// Failure returns what went wrong so far.
func (t *Target) Failure() logfile.Failure {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.failure
}

// Write implements [io.Writer]. It returns len(p) and nil.
func (t *Target) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n, err := t.to.Write(p)
	if err == nil {
		if t.failure.Failing {
			t.failure.Failing = false
			t.changed()
		}
		return len(p), nil
	}
	if !t.failure.Failing {
		t.failure.Failing, t.failure.Since = true, time.Now()
	}
	t.failure.Err = err.Error()
	t.failure.Lost += uint64(len(p) - n)
	t.changed()
	return len(p), nil
}
