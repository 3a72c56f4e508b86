package stdio

import "sync"

// chunkSize is how much one read takes, and the quota of the pipes made here: a
// pipe costs by the call, and four times as much changes little more.
const chunkSize = 256 << 10

var chunks = sync.Pool{New: func() any { b := make([]byte, chunkSize); return &b }}

func getChunk() *[]byte { return chunks.Get().(*[]byte) }

func putChunk(c *[]byte) { chunks.Put(c) }
