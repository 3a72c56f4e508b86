package shim

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/containerd/ttrpc"
)

// goodbye bounds the requests that are still underway when the shim ends, the answer to Shutdown among them.
const goodbye = 3 * time.Second

// Serve answers requests on l until a client has asked for the end, nobody has needed the shim for a while, or ctx is
// done; c.Shutdown is its own. The listener is closed.
func Serve(ctx context.Context, l net.Listener, c Config) error {
	server, err := ttrpc.NewServer(ttrpc.WithUnaryServerInterceptor(intercept))
	if err != nil {
		return errors.Join(err, l.Close())
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	c.Shutdown = stop
	idle := newIdle(stop)
	defer idle.close()
	service := NewService(c)
	service.need = idle.need
	register(server, service)
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, listener{l, idle}) }() // Shutdown below ends it
	select {
	case err = <-served:
		return err
	case <-ctx.Done():
	}
	bounded, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	err = server.Shutdown(bounded)
	if errors.Is(err, context.DeadlineExceeded) {
		err = server.Close() // a client that still waits for a task does not keep the shim
	}
	if end := <-served; !errors.Is(end, ttrpc.ErrServerClosed) {
		err = errors.Join(err, end)
	}
	return err
}
