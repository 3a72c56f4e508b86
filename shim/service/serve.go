package service

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/containerd/ttrpc"
)

// goodbye bounds how long the shim stays for its clients when it ends. Who asks for the end takes the answer and hangs
// up: to hang up first would take the answer away, for ttrpc closes a connection that has none on its way yet.
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
	service := NewService(c)
	idle := service.watchIdle()
	defer idle.close()
	register(server, service)
	registerSandbox(server, service)
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, listener{l, idle}) }() // Shutdown below ends it
	select {
	case err = <-served:
		return err
	case <-ctx.Done():
	}
	select {
	case <-idle.deserted():
	case <-time.After(goodbye): // a client that still waits for a task does not keep the shim
	}
	err = server.Close()
	if end := <-served; !errors.Is(end, ttrpc.ErrServerClosed) {
		err = errors.Join(err, end)
	}
	return err
}
