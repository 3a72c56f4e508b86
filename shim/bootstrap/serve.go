package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"sync"
	"syscall"

	"github.com/containerd/errdefs"
	"github.com/containerd/log"

	"github.com/siloshim/siloshim/internal/fault"
)

// serve is the long-lived process. Until the first Accept, its standard output belongs to the start that waits
// for it; afterwards it has the log pipe alone.
func serve(ctx context.Context, p Process, f flags, s Shim) error {
	ready := &readyPipe{out: p.Stdout}
	err := serveReady(ctx, p, f, s, ready)
	if err != nil {
		ready.say(oneLine(err))
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

func serveReady(ctx context.Context, p Process, f flags, s Shim, ready *readyPipe) error {
	if err := f.validate(); err != nil {
		return err
	}
	if f.socket == "" {
		return fmt.Errorf("socket is required: pass -socket: %w", errdefs.ErrInvalidArgument)
	}
	params, err := readParams(p, f)
	if err != nil {
		return err
	}
	logs, err := openLog(params)
	if err != nil {
		return err
	}
	defer func() { _ = logs.Close() }() // nobody reads it any more
	crash, err := openCrash(params.Bundle, params.ID)
	if err != nil {
		return err
	}
	defer crash.remove()
	unwatch, err := watchStackdump()
	if err != nil {
		return err
	}
	defer unwatch()
	l, err := fault.Do("listen", func() (net.Listener, error) { return listen(f.socket) })
	if err != nil {
		return fmt.Errorf("listen on %s: %w", f.socket, err)
	}
	params.Listener = &readyListener{Listener: l, ready: ready}
	defer params.Listener.Close()
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := guard(ctx, s, params); err != nil {
		log.G(ctx).WithError(err).Error("the shim ends") // start and its reader are long gone
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
	l, err := fault.Do("listen on log pipe", func() (net.Listener, error) { return listen(address) })
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

// readyPipe is how serve answers the start that waits for it. It speaks once.
type readyPipe struct {
	out  io.Writer
	once sync.Once
}

func (r *readyPipe) say(word string) {
	r.once.Do(func() {
		_, _ = io.WriteString(r.out, word) // whoever started us may be gone: nobody is left to tell
		if c, ok := r.out.(io.Closer); ok {
			_ = c.Close()
		}
	})
}

// readyListener tells start that the shim accepts, when it does so for the first time. The name exists since
// listen; a client that dials between the two is queued.
type readyListener struct {
	net.Listener
	ready *readyPipe
}

func (l *readyListener) Accept() (net.Conn, error) {
	l.ready.say(readyWord)
	return l.Listener.Accept()
}
