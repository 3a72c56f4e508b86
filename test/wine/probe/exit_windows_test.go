package probe

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"
)

// endAmongThreads ends the process with code 7 while others of its goroutines create threads.
func endAmongThreads() {
	for range 4 {
		go func() { // ends with the process
			for {
				done := make(chan struct{})
				go func() {
					runtime.LockOSThread() // never unlocked: the thread ends with the goroutine, the next is a new one
					close(done)
				}()
				<-done
			}
		}()
	}
	time.Sleep(3 * time.Millisecond) // let them get going
	os.Exit(7)
}

// TestExitAmongNewThreads: a process that ends while it creates threads does end, with its exit code, and in silence.
func TestExitAmongNewThreads(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		var stderr bytes.Buffer
		cmd := exec.CommandContext(t.Context(), self)
		cmd.Env = append(os.Environ(), "PROBE_CHILD=threads")
		cmd.Stderr = &stderr
		err := cmd.Run()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 7 || stderr.Len() > 0 {
			t.Errorf("ended with %v, want exit status 7: %s", err, stderr.String())
		}
	}
}
