package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime/debug"
	"sync"

	"github.com/containerd/errdefs"
	"github.com/containerd/log"

	"github.com/siloshim/siloshim/internal/fault"
	"github.com/siloshim/siloshim/internal/pipe"
)

// serve is the long-lived process. Until the first Accept, its standard output belongs to the start that waits
// for it; afterwards it has the log pipe alone.
func serve(ctx context.Context, p Process, f flags, s Shim) error {
	ready := &startReply{out: p.Stdout}
	err := serveReady(ctx, p, f, s, ready)
	if err != nil {
		ready.send(oneLine(err))
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

func serveReady(ctx context.Context, p Process, f flags, s Shim, ready *startReply) error {
	if err := f.validate(); err != nil {
		return err
	}
	if f.socket == "" {
		return fmt.Errorf("read the command line: no socket; pass -socket: %w", errdefs.ErrInvalidArgument)
	}
	params, err := readParams(p, f)
	if err != nil {
		return err
	}
	logs, err := openLog(params)
	if err != nil {
		return err
	}
	defer func() { _ = logs.Close() }() // its reader is gone by then
	crash, err := openCrash(params.Bundle, params.ID)
	if err != nil {
		return err
	}
	defer crash.remove()
	if unwatch, err := watchStackdump(); err != nil { // every user may make an event of that name first
		log.L.WithError(err).Warn("no stacks are dumped on request")
	} else {
		defer unwatch()
	}
	l, err := fault.Do("listen", func() (net.Listener, error) { return pipe.Listen(f.socket) })
	if err != nil {
		return fmt.Errorf("listen on %s: %w", f.socket, err)
	}
	params.Listener = &readyListener{Listener: l, ready: ready}
	defer params.Listener.Close()
	if err := guard(ctx, s, params); err != nil {
		log.G(ctx).WithError(err).Error("the shim ends") // start has ended
		return err
	}
	return nil
}

// guard runs the shim and turns a panic on its goroutine into an error with a stack in the log. Panics of other
// goroutines end the process; the crash file has them.
func guard(ctx context.Context, s Shim, p Params) (err error) {
	defer func() {
		if r := recover(); r != nil {
			log.G(ctx).WithField("stack", string(debug.Stack())).Errorf("panic: %v", r)
			err = fmt.Errorf("panic: %v: %w", r, errdefs.ErrInternal)
		}
	}()
	return s.Serve(ctx, p)
}

// openLog opens the log pipe and sends the log of the process there.
func openLog(p Params) (*logPipe, error) {
	address := logAddress(p.Namespace, p.ID)
	l, err := fault.Do("listen on log pipe", func() (net.Listener, error) { return pipe.Listen(address) })
	if err != nil {
		return nil, fmt.Errorf("listen on the log pipe %s: %w", address, err)
	}
	logs := newLogPipe(l)
	log.L.Logger.SetOutput(logs)
	if err := errors.Join(log.SetFormat(log.TextFormat), log.SetLevel(p.LogLevel)); err != nil {
		return nil, errors.Join(fmt.Errorf("set up the log: %w", err), logs.Close())
	}
	return logs, nil
}

// startReply is the reply to the start that waits for this process. It is sent once.
type startReply struct {
	out  io.Writer
	once sync.Once
}

func (r *startReply) send(text string) {
	r.once.Do(func() {
		_, _ = io.WriteString(r.out, text) // start may have ended
		if c, ok := r.out.(io.Closer); ok {
			_ = c.Close()
		}
	})
}

// readyListener sends the reply to start with the first Accept. The name exists since listen; a client that
// dials between the two is queued.
type readyListener struct {
	net.Listener
	ready *startReply
}

func (l *readyListener) Accept() (net.Conn, error) {
	l.ready.send(readyWord)
	return l.Listener.Accept()
}
