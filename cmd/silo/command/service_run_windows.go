package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/eventlog"

	"github.com/siloshim/siloshim/internal/logfile"
)

func (a *App) runService(ctx context.Context, f *serviceFlags, name string, args []string) error {
	// A service receives a console event when any user logs off, which must not end it.
	signal.Reset(endSignals...)
	report := func(code uint32, text string) { reportFailure(name, code, text) }
	err := svc.Run(name, &service{app: a, ctx: ctx, flags: *f, name: name, args: args, report: report})
	if errors.Is(err, windows.ERROR_FAILED_SERVICE_CONTROLLER_CONNECT) {
		return errors.New("run service " + name + ": not started by the service manager; use sc start " + name)
	}
	return err
}

// failureEvent is the id of the only kind of event.
const failureEvent = 1

// reportFailure writes to the event log. Where that fails, the exit code in sc query is left.
func reportFailure(name string, code uint32, text string) {
	log, err := eventlog.Open(eventSource(name))
	if err != nil {
		return
	}
	_ = log.Error(failureEvent, fmt.Sprintf("Service %s ended with exit code %d. %s", name, code, text))
	_ = log.Close() // the event was written
}

// service handles the requests of the service manager.
type service struct {
	app    *App
	ctx    context.Context
	flags  serviceFlags
	name   string
	args   []string
	report func(code uint32, text string) // of a failure
}

// stopHint is how long the service manager waits for the end after a request to stop.
const stopHint = uint32((damonGrace + 5*time.Second) / time.Millisecond)

// Execute implements [svc.Handler]: the verb runs until it ends or the manager stops it. A verb whose arguments or log are
// refused never runs, so that sc start fails. The exit code of a verb that ended by itself is reported as the service's
// own, and anything but 0 makes the manager start the service again. After a requested stop it is always 0: a program that
// was stopped may have another code, and must not be started again.
func (s *service) Execute(_ []string, requests <-chan svc.ChangeRequest, status chan<- svc.Status) (own bool, code uint32) {
	status <- svc.Status{State: svc.StartPending}
	said := &lastText{}
	closeLog, err := s.prepare(said)
	defer closeLog()
	if err != nil {
		code := uint32(s.app.exitCode(err))
		s.report(code, said.String())
		return true, code
	}
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	done := make(chan int, 1)
	go func() { done <- s.app.dispatch(ctx, "silo", s.args) }() // ends with the verb, which is waited for below
	status <- svc.Status{State: svc.Running, Accepts: svc.AcceptStop | svc.AcceptShutdown}
	requested := false
	for {
		select {
		case code := <-done:
			status <- svc.Status{State: svc.StopPending}
			if requested || code == 0 {
				return false, uint32(windows.NO_ERROR)
			}
			s.report(uint32(code), said.String())
			return true, uint32(code)
		case r := <-requests:
			switch r.Cmd {
			case svc.Interrogate:
				status <- r.CurrentStatus
			case svc.Stop, svc.Shutdown:
				status <- svc.Status{State: svc.StopPending, WaitHint: stopHint}
				requested = true
				cancel()
			}
		}
	}
}

// prepare opens the streams of the service, and checks its command line. said gets the errors of silo, as the log does.
func (s *service) prepare(said *lastText) (closeLog func(), err error) {
	nowhere, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return func() {}, err
	}
	a := s.app
	// A service has no standard streams, and silo starts no program without them.
	a.Stdin, a.Stdout, a.Stderr = nowhere, nowhere, said
	closeLog = func() { _ = nowhere.Close() } // nothing was written to it
	if f := s.flags.log; f.path != "" {
		file, err := logfile.OpenWriter(f.path, f.options(), func() {})
		if err != nil {
			return closeLog, fmt.Errorf("--log %s: %w; make %s writable for the account of the service", f.path, err, filepath.Dir(f.path))
		}
		fmt.Fprintf(file, "silo: service %s starts at %s\n", s.name, a.Now().Format(time.RFC3339))
		a.Stdout, a.Stderr = file, io.MultiWriter(said, file)
		closeLog = func() { _ = errors.Join(file.Close(), nowhere.Close()) } // each line was written when it came
	}
	if s.flags.dir != "" {
		if err := os.Chdir(s.flags.dir); err != nil {
			return closeLog, fmt.Errorf("--workdir: %w; install the service with another one", err)
		}
		a.Dir = s.flags.dir
	}
	_, err = a.checkCommand(s.ctx, s.name, s.args)
	return closeLog, err
}

// lastText keeps the latest text that was written to it. It is safe for concurrent use.
type lastText struct {
	mu   sync.Mutex
	text string
}

func (l *lastText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = string(p)
	return len(p), nil
}

func (l *lastText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text
}
