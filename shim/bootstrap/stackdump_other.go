//go:build !windows

package bootstrap

import (
	"os"
	"os/signal"
	"syscall"
)

// watchStackdump dumps the stacks at each SIGUSR1, as containerd's daemon does, until stop is called.
func watchStackdump() (stop func(), err error) {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for range asked {
			dumpStacks()
		}
	}()
	return func() {
		signal.Stop(asked)
		close(asked)
		<-ended
	}, nil
}
