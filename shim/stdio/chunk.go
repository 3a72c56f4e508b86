package stdio

import "sync"

// chunkSize is how much one read takes: the size at which a named pipe's cost a
// call no longer matters, and the quota of the pipes made here.
const chunkSize = 64 << 10

var chunks = sync.Pool{New: func() any { b := make([]byte, chunkSize); return &b }}

func getChunk() *[]byte { return chunks.Get().(*[]byte) }

func putChunk(c *[]byte) { chunks.Put(c) }
