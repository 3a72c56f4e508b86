package probe

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/windows"
)

// endAmongThreads exits with code 7 while goroutines create threads.
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
	time.Sleep(3 * time.Millisecond) // until they run
	os.Exit(7)
}

// endAmongReads exits with code 7 at the moment at which data arrives for a read of the same thread, while other threads
// change the memory map. A gRPC client exits like that. Without the gap filler one in a hundred hangs.
func endAmongReads() {
	runtime.GOMAXPROCS(8) // more threads than the machine has processors
	runtime.LockOSThread()
	name := fmt.Sprintf(`\\.\pipe\probe-reads-%d`, os.Getpid())
	h := must(windows.CreateNamedPipe(windows.StringToUTF16Ptr(name), windows.PIPE_ACCESS_INBOUND|windows.FILE_FLAG_OVERLAPPED,
		0, 1, 64, 64, 0, nil))
	end := must(os.OpenFile(name, os.O_WRONLY, 0))
	if err := windows.ReadFile(h, make([]byte, 1), nil, new(windows.Overlapped)); !errors.Is(err, windows.ERROR_IO_PENDING) {
		panic(err)
	}
	for range 2 {
		go remap() // ends with the process, as the next
	}
	var ready, now atomic.Bool
	go func() {
		ready.Store(true)
		for !now.Load() { // a busy loop reacts fastest
		}
		for range rand.N(30000) {
			now.Load()
		}
		_ = must(end.Write([]byte{1}))
	}()
	for !ready.Load() { // busy, too
	}
	now.Store(true)
	os.Exit(7)
}

// remap changes the memory map repeatedly.
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

// A process that creates threads, or whose threads read, exits with its exit code and prints nothing.
func TestExit_ThreadsStartOrRead_ExitCodeIsKept(t *testing.T) {
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
