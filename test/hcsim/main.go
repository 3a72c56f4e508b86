// Command hcsim is an emulated computecore.dll for Wine, built with -buildmode=c-shared and a C compiler for Windows:
// the functions of the Host Compute Service that package hcs calls, with the same ABI, so that the product's own code
// runs on it unchanged. Its containers are real jobs called \Container_<id> with real processes in them; they have no
// file system, registry or users of their own. Every operation completes on a thread of its own, and events come from
// threads that the caller has never seen.
//
//	abi_windows.go, abi_system_windows.go       the exported functions (cgo)
//	handle, operation, system, process, service what they do
//	dll/storage.c                               vmcompute.dll: layers that keep account of themselves
//	dll/network.c                               computenetwork.dll: the same for namespaces
//
// HCSIM_LOG names a file to which every call is written with its document. HCSIM=sealed makes jobs that nobody can
// open, as those of a foreign silo are. State is that of one process, and ends with it.
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

// note writes a call with what it was about to the log, if there is to be one.
func note(call string, about ...string) {
	path := os.Getenv("HCSIM_LOG")
	if path == "" {
		return
	}
	logging.Lock()
	defer logging.Unlock()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return // a test that wants the log will miss it
	}
	_, _ = fmt.Fprintln(f, call, strings.Join(about, " "))
	_ = f.Close()
}
