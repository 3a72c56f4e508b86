package stdio

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"sync"
	"time"

	"github.com/siloshim/siloshim/internal/fault"
	"github.com/siloshim/siloshim/internal/subprocess"
)

const (
	loggerStart = 10 * time.Second // for a logging program to be ready
	loggerEnd   = 10 * time.Second // for it to end after its last byte
)

// logger is a running logging program, as containerd's binary:// requests. Its environment has the names of three pipes: CONTAINER_STDOUT and CONTAINER_STDERR are what it reads, and it opens CONTAINER_WAIT and closes it again
// when it is ready. It ends when both outputs have.
//
// https://github.com/containerd/containerd/blob/main/core/runtime/v2/README.md#logging
type logger struct {
	// Immutable after startLogger.
	address *address
	cmd     *exec.Cmd
	exited  chan struct{} // closed when the program has ended

	// Owned by Open: those that no output has taken yet.
	pipes map[string]net.Conn
}

// logger finds the program of an address, which both outputs share if they name it alike.
func (r *Relay) logger(ctx context.Context, c Config, a *address) (*logger, error) {
	for _, l := range r.loggers {
		if l.address.path == a.path && slices.Equal(l.address.args, a.args) {
			return l, nil
		}
	}
	l, err := startLogger(ctx, c, a)
	if err != nil {
		return nil, err
	}
	r.loggers = append(r.loggers, l)
	return l, nil
}

// startLogger starts the program and returns once it is ready. After an error it is gone.
func startLogger(ctx context.Context, c Config, a *address) (*logger, error) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, loggerStart)
	defer cancel()
	l := &logger{address: a, cmd: exec.Command(a.path, a.args...), exited: make(chan struct{}), pipes: map[string]net.Conn{}}
	// The shim's own environment has addresses of containerd in it.
	l.cmd.Env = []string{"CONTAINER_ID=" + c.ID, "CONTAINER_NAMESPACE=" + c.Namespace}
	subprocess.SeparateConsole(l.cmd)
	listeners, err := l.listen()
	defer func() {
		for _, n := range listeners {
			_ = n.listener.Close() // each has its one client by now, or never
		}
	}()
	if err != nil {
		return nil, err
	}
	if err := fault.Call("start logging program", l.cmd.Start); err != nil {
		return nil, fmt.Errorf("start the logging program: %w", err)
	}
	go func() { // ends with the program, which wait kills if it must
		_ = l.cmd.Wait() // its exit code has no meaning for the container
		close(l.exited)
	}()
	if err := l.accept(ctx, listeners); err != nil {
		l.endRest()
		return nil, errors.Join(loggerNotReady(began, err), l.wait(0))
	}
	return l, nil
}

// loggerNotReady says how long the wait was where its bound has passed.
func loggerNotReady(began time.Time, err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("start the logging program: not ready after %v: %w", time.Since(began).Round(time.Millisecond), err)
	}
	return fmt.Errorf("start the logging program: %w", err)
}

// listening is a pipe that the program will open.
type listening struct {
	name     string
	listener net.Listener
}

const waitPipe = "wait"

// listen makes the pipes and names them in the environment.
func (l *logger) listen() (all []listening, err error) {
	id := rand.Text()
	for name, variable := range map[string]string{
		fieldStdout: "CONTAINER_STDOUT", fieldStderr: "CONTAINER_STDERR", waitPipe: "CONTAINER_WAIT",
	} {
		n, path, err := listenPipe("silo-log-" + id + "-" + name)
		if err != nil {
			return all, fmt.Errorf("make a pipe for the logging program: %w", err)
		}
		all = append(all, listening{name, n})
		l.cmd.Env = append(l.cmd.Env, variable+"="+path)
	}
	return all, nil
}

var errLoggerEnded = errors.New("the logging program has ended")

// accept accepts the program at each pipe, in any order, and waits until it is ready.
func (l *logger) accept(ctx context.Context, listeners []listening) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	go func() { // ends with ctx at the latest
		select {
		case <-l.exited:
			end(errLoggerEnded)
		case <-ctx.Done():
		}
	}()
	defer context.AfterFunc(ctx, func() {
		for _, n := range listeners {
			_ = n.listener.Close() // which ends its Accept
		}
	})()
	var accepted sync.WaitGroup
	conns, errs := make([]net.Conn, len(listeners)), make([]error, len(listeners))
	for i, n := range listeners {
		accepted.Go(func() { conns[i], errs[i] = n.listener.Accept() })
	}
	accepted.Wait()
	for i, n := range listeners {
		if errs[i] == nil {
			l.pipes[n.name] = conns[i]
		}
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return l.ready(ctx)
}

// ready waits until the program closes the wait pipe.
func (l *logger) ready(ctx context.Context) error {
	wait := l.take(waitPipe)
	defer wait.Close()
	defer context.AfterFunc(ctx, func() { interrupt(wait) })()
	_, err := wait.Read(make([]byte, 1))
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, errLoggerEnded) {
		return cause
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// take hands over a pipe.
func (l *logger) take(name string) net.Conn {
	conn := l.pipes[name]
	delete(l.pipes, name)
	return conn
}

// endRest closes the pipes that no output has taken.
func (l *logger) endRest() {
	for name := range l.pipes {
		_ = l.take(name).Close()
	}
}

// redial refuses the sink another reader: a program that has ended is not started again.
func (l *logger) redial(context.Context) (io.WriteCloser, error) { return nil, errLoggerEnded }

// wait returns when the program has ended, which it should once its pipes are closed. After the bound it is killed.
func (l *logger) wait(bound time.Duration) error {
	late := time.NewTimer(bound)
	defer late.Stop()
	select {
	case <-l.exited:
		return nil
	case <-late.C:
	}
	if err := l.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill the logging program: %w", err)
	}
	<-l.exited
	if bound == 0 {
		return nil
	}
	return fmt.Errorf("wait for the end of the logging program: still running after %v, killed: %w", bound, context.DeadlineExceeded)
}
