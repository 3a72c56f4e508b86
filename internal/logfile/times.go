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

// timesReader reads an index while it grows. It keeps one block of entries, whatever the size of the index.
type timesReader struct {
	path  string
	file  *os.File // nil until there is one
	count int      // entries in the file
	first int      // the number of the first entry of block
	block []timesEntry
}

type timesEntry struct {
	offset int64
	time   time.Time
}

// blockEntries is the number of entries that are read at once.
const blockEntries = 256

// refresh counts the entries that were added.
func (r *timesReader) refresh() {
	if r.file == nil {
		file, err := OpenShared(r.path)
		if err != nil {
			return // a log without an index
		}
		r.file = file
	}
	if info, err := r.file.Stat(); err == nil {
		r.count = int(info.Size() / entrySize)
	}
}

// entry is that with number i, which is less than count. An entry that cannot be read is the zero one.
func (r *timesReader) entry(i int) (e timesEntry) {
	if i < r.first || i >= r.first+len(r.block) {
		r.load(i - i%blockEntries)
	}
	if i -= r.first; i < len(r.block) {
		e = r.block[i]
	}
	return e
}

// load reads the block that begins with entry first.
func (r *timesReader) load(first int) {
	r.first, r.block = first, r.block[:0]
	var buffer [blockEntries * entrySize]byte
	n, _ := r.file.ReadAt(buffer[:], int64(first)*entrySize) // what was read counts
	for at := 0; at+entrySize <= n; at += entrySize {
		r.block = append(r.block, timesEntry{
			int64(binary.LittleEndian.Uint64(buffer[at:])), time.Unix(0, int64(binary.LittleEndian.Uint64(buffer[at+8:]))),
		})
	}
}

// at is the time of the text at an offset, or false if the index does not know it. Lines are read in order, so most are of
// the block that was used last.
func (r *timesReader) at(offset int64) (time.Time, bool) {
	if r.count == 0 {
		return time.Time{}, false
	}
	low, high := 0, r.count
	if n := len(r.block); n > 0 && r.block[0].offset <= offset && offset < r.block[n-1].offset {
		low, high = r.first, r.first+n
	}
	after := low + sort.Search(high-low, func(i int) bool { return r.entry(low+i).offset > offset })
	return r.entry(max(after-1, 0)).time, true // before the first entry: written before the index began
}

func (r *timesReader) close() {
	if r.file != nil {
		_ = r.file.Close() // it was only read
	}
	*r = timesReader{}
}
