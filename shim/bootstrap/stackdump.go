package bootstrap

import (
	"runtime"

	"github.com/containerd/log"
)

// dumpStacks writes what every goroutine does into the log, for a shim that seems to hang. It stops the process for
// the time that takes.
func dumpStacks() {
	buf := make([]byte, 16<<10)
	n := runtime.Stack(buf, true)
	for n == len(buf) {
		buf = make([]byte, 2*len(buf))
		n = runtime.Stack(buf, true)
	}
	// At the highest level: whoever asked wants it, whatever the level of the log.
	log.L.Errorf("=== begin of goroutine stack dump ===\n%s\n=== end of goroutine stack dump ===", buf[:n])
}
