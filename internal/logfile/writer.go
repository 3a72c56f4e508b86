package logfile

import (
	"bytes"
	"fmt"
	"sync"
	"time"
)

const (
	// queueSize bounds the text that waits for the file. As much again may be in the write that runs.
	queueSize = 4 << 20
	// maxStall is how long callers wait with a full queue while nothing is written. After that text is discarded.
	maxStall = 3 * time.Second

	firstPause = 10 * time.Millisecond // before the first retry of a write
	longPause  = 500 * time.Millisecond
)

// Failure is what went wrong with one destination of output.
type Failure struct {
	Err     string // the latest error; "" if there was none
	Lost    uint64 // bytes that were discarded
	Since   time.Time
	Failing bool // it has not succeeded again
}

// Writer writes to a [File] behind a queue. Its Write does not fail. A file that cannot be written is opened again; its
// text waits in the queue. If the queue is full and nothing was written for 3 s, whole lines are discarded and counted
// until the file takes text again; then a line in the file has the number. All methods are safe for concurrent use.
type Writer struct {
	// Immutable.
	file    *File
	changed func()        // called after a change of Failure, with mu held
	ended   chan struct{} // closed after the last write

	callers  sync.Mutex // held over Write: nothing comes between the parts of a text
	mu       sync.Mutex // guards the fields below
	queue    []byte
	writing  int           // bytes of the write that runs
	middle   bool          // the text that was queued so far ends in the middle of a line
	wake     chan struct{} // closed and replaced after each change of the fields
	closed   bool
	gaveUp   bool      // Close waits no longer
	progress time.Time // when the file last took text, or the queue was last empty
	gap      uint64    // discarded bytes that no line in the file counts yet
	gapSince time.Time
	cut      bool // the queue ends in the middle of a line, the rest of which is discarded
	failure  Failure
}

// OpenWriter opens a log, see [Open]. changed is called after each change of [Writer.Failure]; it may be nil, and must
// neither block nor call the Writer.
func OpenWriter(path string, o Options, changed func()) (*Writer, error) {
	file, err := Open(path, o)
	if err != nil {
		return nil, err
	}
	return newWriter(file, changed), nil
}

func newWriter(file *File, changed func()) *Writer {
	if changed == nil {
		changed = func() {}
	}
	w := &Writer{file: file, changed: changed, ended: make(chan struct{}), wake: make(chan struct{}), progress: time.Now()}
	go w.run() // ends with Close
	return w
}

// Position is the end of the log.
func (w *Writer) Position() Position { return w.file.Position() }

// Failure returns what went wrong so far.
func (w *Writer) Failure() Failure {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failure
}

// Write queues p. It returns len(p) and nil.
func (w *Writer) Write(p []byte) (int, error) {
	w.callers.Lock()
	defer w.callers.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	for rest := p; len(rest) > 0; {
		rest = w.queueLocked(rest)
		if len(rest) > 0 && !w.waitLocked() {
			w.discardLocked(rest)
			break
		}
	}
	return len(p), nil
}

// queueLocked queues what there is room for and returns the rest.
func (w *Writer) queueLocked(p []byte) (rest []byte) {
	room := queueSize - len(w.queue)
	if room <= 0 || w.closed {
		return p
	}
	if w.gap > 0 {
		if p = w.endGapLocked(p); len(p) == 0 {
			return nil
		}
	}
	part := p[:min(room, len(p))]
	if len(w.queue) == 0 {
		w.progress = time.Now() // nothing was waiting for the file
	}
	w.queue, w.middle = append(w.queue, part...), part[len(part)-1] != '\n'
	w.signalLocked()
	return p[len(part):]
}

// endGapLocked discards the rest of a line that was cut, and queues the line that tells the number of lost bytes.
func (w *Writer) endGapLocked(p []byte) []byte {
	if w.cut {
		end := bytes.IndexByte(p, '\n') + 1
		if end == 0 {
			end = len(p)
		}
		w.addLostLocked(uint64(end))
		if w.cut = p[end-1] != '\n'; w.cut {
			return nil
		}
		p = p[end:]
	}
	w.queue = append(w.queue, w.gapLineLocked()...)
	return p
}

// gapLineLocked is the line that tells the number of lost bytes.
func (w *Writer) gapLineLocked() (line []byte) {
	if w.middle {
		line = append(line, '\n')
	}
	line = fmt.Appendf(line, "silo: %d bytes of output are missing here: they were discarded from %s to %s: %s\n", w.gap,
		w.gapSince.UTC().Format(time.RFC3339), time.Now().UTC().Format(time.RFC3339), w.failure.Err)
	w.gap, w.middle = 0, false
	return line
}

// waitLocked waits for room in the queue. It returns false if the file has taken nothing for too long.
func (w *Writer) waitLocked() bool {
	left := maxStall - time.Since(w.progress)
	if left <= 0 || w.closed {
		return false
	}
	wake := w.wake
	w.mu.Unlock()
	timer := time.NewTimer(left)
	select {
	case <-wake:
	case <-timer.C:
	}
	timer.Stop()
	w.mu.Lock()
	return true
}

func (w *Writer) discardLocked(p []byte) {
	if w.gap == 0 {
		w.gapSince = time.Now()
	}
	w.cut = p[len(p)-1] != '\n'
	w.addLostLocked(uint64(len(p)))
}

func (w *Writer) addLostLocked(n uint64) {
	w.gap += n
	w.failure.Lost += n
	if w.failure.Err == "" {
		w.failure.Err = fmt.Sprintf("write the log %s: the write has not returned for %v", w.file.path, maxStall)
	}
	w.failLocked()
}

// failLocked marks the failure.
func (w *Writer) failLocked() {
	if !w.failure.Failing {
		w.failure.Failing, w.failure.Since = true, time.Now()
	}
	w.changed()
}

func (w *Writer) signalLocked() {
	close(w.wake)
	w.wake = make(chan struct{})
}

// Close writes what is queued and closes the file. If the file takes nothing for 3 s, also because a write hangs, the
// text is discarded. It returns an error if the log is not complete.
func (w *Writer) Close() error {
	w.mu.Lock()
	again := w.closed
	w.closed = true
	w.signalLocked()
	w.mu.Unlock()
	if again {
		return nil
	}
	w.awaitEnd()
	if failure := w.Failure(); failure.Lost > 0 {
		return fmt.Errorf("the log %s lost %d bytes: %s", w.file.path, failure.Lost, failure.Err)
	}
	return nil
}

// awaitEnd waits for the end of run, but not for a write that hangs.
func (w *Writer) awaitEnd() {
	for {
		w.mu.Lock()
		before := w.progress
		w.mu.Unlock()
		if w.endsWithin(maxStall) {
			return
		}
		w.mu.Lock()
		if w.progress != before {
			w.mu.Unlock()
			continue
		}
		w.gaveUp = true
		w.addLostLocked(uint64(len(w.queue) + w.writing))
		w.queue = nil
		w.signalLocked()
		w.mu.Unlock()
		w.endsWithin(longPause)
		return
	}
}

func (w *Writer) endsWithin(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-w.ended:
		return true
	case <-timer.C:
		return false
	}
}
