package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/Microsoft/go-winio"
)

// echo is a pipe whose server sends back what it receives.
type echo struct {
	listener io.Closer
	path     string
	conn     io.ReadWriteCloser
}

func newEcho() (*echo, error) {
	serial++
	p := &echo{path: fmt.Sprintf(`\\.\pipe\peers-%d-echo-%d`, os.Getpid(), serial)}
	l, err := winio.ListenPipe(p.path, nil)
	if err != nil {
		return nil, err
	}
	p.listener = l
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return // close came first
		}
		_, _ = io.Copy(conn, conn) // until the client closes
		_ = conn.Close()
	}()
	return p, nil
}

// dialEcho returns one with a client.
func dialEcho(ctx context.Context) (*echo, error) {
	p, err := newEcho()
	if err != nil {
		return nil, err
	}
	if err := p.dial(ctx); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *echo) dial(ctx context.Context) (err error) {
	p.conn, err = winio.DialPipeContext(ctx, p.path)
	return err
}

// call sends a message as small as a request, and reads it back.
func (p *echo) call() error {
	message := make([]byte, 64)
	if _, err := p.conn.Write(message); err != nil {
		return err
	}
	_, err := io.ReadFull(p.conn, message)
	return err
}

func (p *echo) close() {
	if p.conn != nil {
		_ = p.conn.Close()
	}
	_ = p.listener.Close()
}
