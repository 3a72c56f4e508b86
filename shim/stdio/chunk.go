package stdio

import "sync"

// chunkSize is how much one read takes, and the quota of the pipes made here: a
// pipe costs by the call, and four times as much changes little more.
const chunkSize = 256 << 10

var chunks = sync.Pool{New: func() any { b := make([]byte, chunkSize); return &b }}

func getChunk() *[]byte { return chunks.Get().(*[]byte) }

func putChunk(c *[]byte) { chunks.Put(c) }

// writeSize is the most that one write gives to a reader. Windows reports 0
// bytes of a write that it interrupts, however much of it the reader took, and
// what is reported as not taken is written to the next reader. containerd's
// clients read 32 KiB at a time: they take such a write whole or not at all.
const writeSize = 32 << 10
