// Command hcsim is an emulated computecore.dll for Wine, built with -buildmode=c-shared and a C compiler for Windows. It has
// the functions of the Host Compute Service (HCS) that package hcs calls, with the same ABI, so that the product's code runs
// on it unchanged. Its containers are real jobs called \Container_<id> with real processes. They have no separate file
// system, registry or users. Each operation completes on another thread, and events come from other threads.
//
//	abi_windows.go, abi_system_windows.go       the exported functions (cgo)
//	handle, operation, system, process, service their implementation
//	dll/storage.c                               vmcompute.dll: layers that record which of them are mounted
//	dll/network.c                               computenetwork.dll: the same for namespaces
//
// HCSIM_LOG is a file to which every call is written with its document. With HCSIM=sealed other processes cannot open the
// jobs, as with the jobs of other silos. The state belongs to one process and ends with it.
package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
)

func main() {}

// logging lets one call at a time write to the log.
var logging sync.Mutex

// note writes a call with its arguments to the log of HCSIM_LOG.
func note(call string, about ...string) {
	path := os.Getenv("HCSIM_LOG")
	if path == "" {
		return
	}
	logging.Lock()
	defer logging.Unlock()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return // a test that needs the log fails without it
	}
	_, _ = fmt.Fprintln(f, call, strings.Join(about, " "))
	_ = f.Close()
}
