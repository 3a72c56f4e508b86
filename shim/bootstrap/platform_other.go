//go:build !windows

package bootstrap

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

// newAddress makes the address of a new shim's socket, which takes the place of a named pipe.
func newAddress(namespace, id string) string {
	return "unix://" + socketPath(namespace, id, rand.Text()[:16])
}

func logAddress(namespace, id string) string {
	return "unix://" + socketPath(namespace, id, "log")
}

// socketPath is short: a socket's path has at most 107 bytes.
func socketPath(namespace, id, suffix string) string {
	sum := sha256.Sum256([]byte(namespace + "/" + id))
	return filepath.Join(os.TempDir(), "silo-"+hex.EncodeToString(sum[:6])+"-"+suffix)
}

func detached() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

func systemDir() string { return "/" }

// inUse is false: here a file can be removed that a process has open.
func inUse(error) bool { return false }

// openShim returns what waits for nothing: a shim that runs here is a test's, which waits itself.
func openShim(uint32) (awaitEnd func(context.Context) error, err error) {
	return func(context.Context) error { return nil }, nil
}

// watchStackdump dumps the stacks at each SIGUSR1, as containerd's daemon does, until stop is called.
func watchStackdump() (stop func(), err error) {
	requested := make(chan os.Signal, 1)
	signal.Notify(requested, syscall.SIGUSR1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for range requested {
			dumpStacks()
		}
	}()
	return func() {
		signal.Stop(requested)
		close(requested)
		<-ended
	}, nil
}
