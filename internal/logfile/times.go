package logfile

import (
	"encoding/binary"
	"os"
	"sort"
	"time"
)

// timesInterval is the least time between two entries of an index. A line's time is that much too early at most.
const timesInterval = 100 * time.Millisecond

// entrySize is that of an entry: the offset and the time in nanoseconds since 1970, both little endian. Text from the
// offset on was not written before the time.
const entrySize = 16

// timesWriter appends to an index. An index that cannot be written has gaps, in which lines have the time before; the log
// itself does not depend on it.
type timesWriter struct {
	path string
	on   bool
	file *os.File
	last time.Time // of the latest entry
}

func (w *timesWriter) add(offset int64, now time.Time) {
	if !w.on || !w.last.IsZero() && now.Sub(w.last) < timesInterval {
		return
	}
	w.last = now // also if it fails: the next try is not sooner
	if w.file == nil {
		file, err := openAppend(w.path)
		if err != nil {
			return
		}
		w.file = file
	}
	entry := binary.LittleEndian.AppendUint64(make([]byte, 0, entrySize), uint64(offset))
	entry = binary.LittleEndian.AppendUint64(entry, uint64(now.UnixNano()))
	_, _ = w.file.Write(entry) // see timesWriter
}

func (w *timesWriter) close() {
	if w.file != nil {
		_ = w.file.Close() // see timesWriter
	}
	*w = timesWriter{}
}

// timesReader reads an index while it grows.
type timesReader struct {
	path    string
	file    *os.File // nil until there is one
	entries []timesEntry
}

type timesEntry struct {
	offset int64
	time   time.Time
}

// refresh reads the entries that were added.
func (r *timesReader) refresh() {
	if r.file == nil {
		file, err := OpenShared(r.path)
		if err != nil {
			return // a log without an index
		}
		r.file = file
	}
	buffer := make([]byte, 256*entrySize)
	for {
		n, err := r.file.ReadAt(buffer, int64(len(r.entries))*entrySize)
		for at := 0; at+entrySize <= n; at += entrySize {
			r.entries = append(r.entries, timesEntry{
				int64(binary.LittleEndian.Uint64(buffer[at:])), time.Unix(0, int64(binary.LittleEndian.Uint64(buffer[at+8:]))),
			})
		}
		if err != nil || n < entrySize { // at its end, or an index that cannot be read
			return
		}
	}
}

// at is the time of the text at an offset, or false if the index does not know it.
func (r *timesReader) at(offset int64) (time.Time, bool) {
	after := sort.Search(len(r.entries), func(i int) bool { return r.entries[i].offset > offset })
	switch {
	case after > 0:
		return r.entries[after-1].time, true
	case len(r.entries) > 0:
		return r.entries[0].time, true // it was written before the index began
	}
	return time.Time{}, false
}

func (r *timesReader) close() {
	if r.file != nil {
		_ = r.file.Close() // it was only read
	}
	*r = timesReader{}
}
