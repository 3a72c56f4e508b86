package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/Microsoft/go-winio"
	api "github.com/containerd/containerd/api/runtime/task/v2"
)

// throughput measures how fast the output of a program reaches its reader, from its start to its end.
func throughput(ctx context.Context, k *kind, dir string) error {
	s, err := startShim(ctx, k, dir, "flood", fmt.Sprint(flood))
	if err != nil {
		return err
	}
	defer s.end()
	l, err := s.reader()
	if err != nil {
		return err
	}
	defer l.Close()
	took := make(chan arrival, 1)
	go func() { took <- drain(l) }() // ends with the stream or the listener
	if err := s.create(ctx); err != nil {
		return err
	}
	began := time.Now()
	if err := s.begin(ctx); err != nil {
		return err
	}
	r := <-took
	if r.err != nil || r.n != flood {
		return fmt.Errorf("%d of %d bytes arrived: %w", r.n, flood, r.err)
	}
	k.add("stdio", "MB/s", float64(flood)/1e6/r.at.Sub(began).Seconds())
	if _, err := s.Wait(ctx, &api.WaitRequest{ID: s.id}); err != nil {
		return err
	}
	_, err = s.Delete(ctx, &api.DeleteRequest{ID: s.id})
	return err
}

// reader makes the pipe for the shim's output.
func (s *shim) reader() (net.Listener, error) {
	s.stdout = fmt.Sprintf(`\\.\pipe\peers-%d-%s-out`, os.Getpid(), s.id)
	return winio.ListenPipe(s.stdout, nil)
}

// arrival has the bytes that a reader got, and the time of the end.
type arrival struct {
	n   int64
	at  time.Time
	err error
}

func drain(l net.Listener) arrival {
	conn, err := l.Accept()
	if err != nil {
		return arrival{err: err}
	}
	defer conn.Close()
	// containerd's clients read 32 KiB at a time.
	n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, conn, make([]byte, 32<<10))
	return arrival{n, time.Now(), err}
}
