package jobobject

import (
	"fmt"
	"reflect"
	"sync"
)

// A port is the completion port that all created jobs of one kernel share, with
// the one goroutine that reads it. It lives from the first job to the last.
//
// A job is known at the port by a number that is never used twice. A handle in
// its place would, once closed and reused, lead a late message to the wrong job.
type port struct {
	// Immutable after open.
	kernel Kernel
	handle Handle
	done   chan struct{} // closed when the reader is gone

	jobs map[uintptr]*Job // guarded by ports.mu
}

// quitKey is the key of the message that ends the reader; no job has it.
const quitKey uintptr = 0

var ports = struct {
	mu     sync.Mutex // guards the fields below and the jobs of every port
	open   map[Kernel]*port
	newest uintptr
}{open: make(map[Kernel]*port)}

// listen joins j to the port of its kernel.
func (j *Job) listen(h Handle) error {
	p, key, err := joinPort(j)
	if err != nil {
		return err
	}
	j.port, j.key = p, key
	return j.kernel.AssociatePort(h, p.handle, key)
}

func joinPort(j *Job) (*port, uintptr, error) {
	if !reflect.ValueOf(j.kernel).Comparable() {
		return nil, 0, fmt.Errorf("a kernel of type %T cannot be compared; pass a pointer to it", j.kernel)
	}
	// CreatePort runs under the lock: two first jobs must not open two ports.
	ports.mu.Lock()
	defer ports.mu.Unlock()
	p := ports.open[j.kernel]
	if p == nil {
		h, err := j.kernel.CreatePort()
		if err != nil {
			return nil, 0, err
		}
		p = &port{kernel: j.kernel, handle: h, done: make(chan struct{}), jobs: make(map[uintptr]*Job)}
		ports.open[j.kernel] = p
		go p.read()
	}
	ports.newest++
	p.jobs[ports.newest] = j
	return p, ports.newest, nil
}

// leave removes the job with key. The last one waits for the reader to end,
// which is a matter of one message: the reader never blocks on anything else.
func (p *port) leave(key uintptr) {
	ports.mu.Lock()
	delete(p.jobs, key)
	last := len(p.jobs) == 0
	if last {
		delete(ports.open, p.kernel)
	}
	ports.mu.Unlock()
	if last && p.kernel.PostPort(p.handle, 0, quitKey) == nil {
		<-p.done
	}
}

// read delivers messages until the last job has left or the port fails. After a
// failure every WaitEmpty still ends: it does not rely on messages.
func (p *port) read() {
	defer close(p.done)
	defer p.kernel.CloseHandle(p.handle) //nolint:errcheck // nothing is left to do about it
	for {
		kind, key, value, err := p.kernel.WaitPort(p.handle)
		if err != nil || key == quitKey {
			return
		}
		ports.mu.Lock()
		j := p.jobs[key]
		ports.mu.Unlock()
		if j != nil {
			j.deliver(newMessage(kind, value))
		}
	}
}
