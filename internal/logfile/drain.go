package logfile

import "time"

// maxWrite bounds one write, after which the file has made progress. A write of the whole queue may rotate many files.
const maxWrite = 64 << 10

// run writes the queue to the file until Close.
func (w *Writer) run() {
	defer close(w.ended)
	defer w.file.Close() //nolint:errcheck // writes reached the file when they were made
	var spare []byte
	for {
		w.mu.Lock()
		for len(w.queue) == 0 && !w.closed {
			wake := w.wake
			w.mu.Unlock()
			<-wake
			w.mu.Lock()
		}
		if len(w.queue) == 0 && w.gap > 0 {
			w.queue = append(w.queue, w.gapLineLocked()...)
		}
		text := w.queue
		w.queue, w.writing = spare[:0], len(w.queue)
		w.signalLocked()
		w.mu.Unlock()
		if len(text) == 0 {
			return
		}
		w.write(text)
		spare = text[:0]
	}
}

// write writes text, however often that takes.
func (w *Writer) write(text []byte) {
	pause := firstPause
	for {
		n, err := w.file.Write(text[:min(len(text), maxWrite)])
		text = text[n:]
		w.wrote(n, err)
		if len(text) == 0 {
			return
		}
		if err == nil {
			continue
		}
		if n > 0 {
			pause = firstPause
		}
		if !w.pause(pause) {
			return
		}
		pause = min(2*pause, longPause)
	}
}

// wrote notes the result of a write.
func (w *Writer) wrote(n int, err error) {
	if err == nil {
		err = w.file.Fault()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writing -= n
	if n > 0 {
		w.progress = time.Now()
	}
	switch {
	case err != nil:
		if text := err.Error(); text != w.failure.Err || !w.failure.Failing {
			w.failure.Err = text
			w.failLocked()
		}
	case w.failure.Failing && n > 0:
		w.failure.Failing = false
		w.changed()
	}
}

// pause waits before a write is tried again. It returns false if Close does not wait for it.
func (w *Writer) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		w.mu.Lock()
		wake, gaveUp := w.wake, w.gaveUp
		w.mu.Unlock()
		if gaveUp {
			return false
		}
		select {
		case <-timer.C:
			return true
		case <-wake: // by a caller, or by Close
		}
	}
}
