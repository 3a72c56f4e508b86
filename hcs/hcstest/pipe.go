package hcstest

import (
	"io"
	"io/fs"
	"sync"
)

// pipeRoom is how much a pipe holds before its writer has to wait.
const pipeRoom = 4096

// pipe is a pipe with a buffer, in memory: a reader or writer of a real one would
// stop the clock of a testing/synctest bubble.
type pipe struct {
	mu     sync.Mutex // guards the fields below
	change sync.Cond
	data   []byte
	ended  bool // nothing more will be written
	shut   bool // the reader was closed
}

func newPipe() *pipe {
	p := new(pipe)
	p.change.L = &p.mu
	return p
}

// end is the end of what is written; what is there can still be read.
func (p *pipe) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	p.change.Broadcast()
}

// reader is the reading end of a pipe.
type reader struct{ *pipe }

func (r reader) Read(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.data) == 0 && !r.ended && !r.shut && len(b) > 0 {
		r.change.Wait()
	}
	if r.shut {
		return 0, fs.ErrClosed
	}
	if len(r.data) == 0 && r.ended {
		return 0, io.EOF
	}
	n := copy(b, r.data)
	r.data = r.data[n:]
	r.change.Broadcast()
	return n, nil
}

func (r reader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.shut {
		return fs.ErrClosed
	}
	r.shut = true
	r.change.Broadcast()
	return nil
}

// writer is the writing end of a pipe. Closing it does not end the reader's input,
// because the service keeps another writing end.
type writer struct{ *pipe }

func (w writer) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for n < len(b) {
		for len(w.data) >= pipeRoom && !w.ended && !w.shut {
			w.change.Wait()
		}
		if w.ended || w.shut {
			return n, io.ErrClosedPipe
		}
		room := min(pipeRoom-len(w.data), len(b)-n)
		w.data = append(w.data, b[n:n+room]...)
		n += room
		w.change.Broadcast()
	}
	return n, nil
}

func (w writer) Close() error { return nil }
