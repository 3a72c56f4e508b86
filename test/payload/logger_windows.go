package main

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/Microsoft/go-winio"
)

// logger FILE: a logging program of containerd's binary:// that writes what it reads to FILE.out and FILE.err.
func logger(args []string) (int, error) {
	if len(args) != 1 {
		return 0, errors.New("logger needs a file")
	}
	var copies sync.WaitGroup
	errs := make([]error, 2)
	for i, s := range []struct{ variable, suffix string }{{"CONTAINER_STDOUT", ".out"}, {"CONTAINER_STDERR", ".err"}} {
		conn, err := winio.DialPipe(os.Getenv(s.variable), nil)
		if err != nil {
			return 0, err
		}
		file, err := os.Create(args[0] + s.suffix)
		if err != nil {
			return 0, err
		}
		copies.Go(func() {
			_, err := file.ReadFrom(conn)
			errs[i] = errors.Join(err, file.Close())
		})
	}
	wait, err := winio.DialPipe(os.Getenv("CONTAINER_WAIT"), nil)
	if err != nil {
		return 0, err
	}
	if err := wait.Close(); err != nil {
		return 0, err
	}
	copies.Wait()
	who := fmt.Sprintf("%s/%s\n", os.Getenv("CONTAINER_NAMESPACE"), os.Getenv("CONTAINER_ID"))
	return 0, errors.Join(errors.Join(errs...), os.WriteFile(args[0]+".id", []byte(who), 0o600))
}
