// Command silo runs, limits and watches programs and containers on Windows.
package main

import (
	"context"
	"os"
	"runtime"

	"github.com/siloshim/siloshim/cmd/silo/command"
)

func main() {
	// A supervisor leaves the processors to its program, and each that Go may use costs a thread and its caches.
	runtime.GOMAXPROCS(1)
	os.Exit(command.System().Main(context.Background(), os.Args[0], os.Args[1:]))
}
