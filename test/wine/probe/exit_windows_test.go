package probe

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/windows"
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

// pending are the reads that endAmongReads does not wait for.
var pending [64]struct {
	windows.Overlapped
	to [1]byte
}

// endAmongReads ends the process with code 7 while data comes for reads of the thread that ends it, and other threads are in
// the midst of changes to the memory's map. So a client of gRPC ends.
func endAmongReads() {
	runtime.GOMAXPROCS(8) // more threads at it than the machine has processors
	runtime.LockOSThread()
	var ends []*os.File
	for i := range pending {
		name := fmt.Sprintf(`\\.\pipe\probe-reads-%d-%d`, os.Getpid(), i)
		h := must(windows.CreateNamedPipe(windows.StringToUTF16Ptr(name), windows.PIPE_ACCESS_INBOUND|windows.FILE_FLAG_OVERLAPPED,
			0, 1, 64, 64, 0, nil))
		ends = append(ends, must(os.OpenFile(name, os.O_WRONLY, 0)))
		read := &pending[i]
		if err := windows.ReadFile(h, read.to[:], nil, &read.Overlapped); !errors.Is(err, windows.ERROR_IO_PENDING) {
			panic(err)
		}
	}
	for range 2 {
		go remap() // ends with the process, as the next
	}
	var written atomic.Int32
	for some := range slices.Chunk(ends, len(ends)/4) {
		go func() {
			for _, end := range some {
				_ = must(end.Write([]byte{1}))
				written.Add(1)
			}
		}()
	}
	for written.Load() < 10 { //nolint:revive // busy, to be quick when it comes
	}
	os.Exit(7)
}

// remap changes the memory's map again and again.
func remap() {
	for {
		a := must(windows.VirtualAlloc(0, 1<<16, windows.MEM_RESERVE, windows.PAGE_NOACCESS))
		if err := windows.VirtualFree(a, 0, windows.MEM_RELEASE); err != nil {
			panic(err)
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestExitInTheMidst: a process that ends while it creates threads, or while its threads read, does end, with its exit
// code, and in silence.
func TestExitInTheMidst(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, of := range []string{"threads", "reads"} {
		t.Run(of, func(t *testing.T) {
			for range 100 {
				var stderr bytes.Buffer
				cmd := exec.CommandContext(t.Context(), self)
				cmd.Env = append(os.Environ(), "PROBE_CHILD="+of)
				cmd.Stderr = &stderr
				err := cmd.Run()
				var exit *exec.ExitError
				if !errors.As(err, &exit) || exit.ExitCode() != 7 || stderr.Len() > 0 {
					t.Errorf("ended with %v, want exit status 7: %s", err, stderr.String())
				}
			}
		})
	}
}
