package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
)

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
