package command

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/stats"
)

// journalInterval is the least time between two writes of a record because of violations: a program whose allocations
// are refused can cause thousands in a second.
const journalInterval = time.Second

// journal keeps the record of a container on disk, with the violations of its limits. Only the process that made the
// job receives their messages; silo stats and the exporter, in other processes, read them in the record. All methods are safe for
// concurrent use.
type journal struct {
	// Immutable after newJournal.
	records node.Records
	changed chan struct{} // holds a token when the count is newer than the file
	closing chan struct{} // closed by close
	closed  chan struct{} // closed after the last write

	counter stats.ViolationCounter
	outputs atomic.Pointer[outputs] // whose errors are in the record; nil before watch

	// mu guards the fields below, and is held while the file is written: an old record must not replace a new one.
	mu     sync.Mutex
	record *node.Record
	lost   error // why the latest record is not in the file
}

// newJournal starts a journal. Nothing is written before the first write.
func newJournal(records node.Records, record *node.Record) *journal {
	j := &journal{
		records: records, record: record,
		changed: make(chan struct{}, 1), closing: make(chan struct{}), closed: make(chan struct{}),
	}
	go j.run() // ends with close, which waits for it
	return j
}

// observe counts a message of the job.
func (j *journal) observe(kind jobobject.MessageKind) {
	if j.counter.Observe(kind) {
		j.scheduleWrite()
	}
}

// scheduleWrite makes run write the record.
func (j *journal) scheduleWrite() {
	select {
	case j.changed <- struct{}{}:
	default: // a write is pending
	}
}

// listen observes the messages of a job, until that is closed.
func (j *journal) listen(messages <-chan jobobject.Message) {
	go func() { // ends when the job is closed
		for m := range messages {
			j.observe(m.Kind)
		}
	}()
}

func (j *journal) run() {
	defer close(j.closed)
	for {
		select {
		case <-j.closing:
			return
		case <-j.changed:
		}
		j.update(func(*node.Record) {})
		pause := time.NewTimer(journalInterval)
		select {
		case <-j.closing:
			pause.Stop()
			return
		case <-pause.C:
		}
	}
}

// update changes the record and writes it, again later if that fails: a file that is just being read cannot be replaced
// on Windows.
func (j *journal) update(change func(*node.Record)) {
	err := j.write(change)
	j.mu.Lock()
	j.lost = err
	j.mu.Unlock()
	if err != nil {
		j.scheduleWrite()
	}
}

// write changes the record and writes it.
func (j *journal) write(change func(*node.Record)) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	change(j.record)
	j.countLocked()
	return j.records.Write(j.record)
}

// current returns the record as it is now. The caller must not change what it points to.
func (j *journal) current() node.Record {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.countLocked()
	return *j.record
}

// watch keeps the errors of the outputs in the record.
func (j *journal) watch(o *outputs) {
	j.outputs.Store(o)
	o.journal.Store(j)
}

func (j *journal) countLocked() {
	if o := j.outputs.Load(); o != nil {
		j.record.OutputErrors = o.errors()
	}
	if v, known := j.counter.Violations(); known {
		j.record.Violations = &v
	}
}

// close ends the writes and returns why the last update failed. The record, which has the final count
// then, is the caller's again.
func (j *journal) close() error {
	close(j.closing)
	<-j.closed
	j.mu.Lock()
	defer j.mu.Unlock()
	j.countLocked()
	return j.lost
}
