package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/mgr"
)

// installService makes a service that runs this executable.
//
// https://learn.microsoft.com/windows/win32/services/services
func (a *App) installService(name string, args []string) (err error) {
	m, err := mgr.Connect()
	if err != nil {
		return fmt.Errorf("open the service manager: %w", err)
	}
	defer func() { err = errors.Join(err, m.Disconnect()) }()
	s, err := m.CreateService(name, a.Self, mgr.Config{
		DisplayName: "silo " + args[0] + " (" + name + ")", StartType: mgr.StartAutomatic,
		Description: "Runs silo " + args[0] + ". Remove it with: silo service remove " + name,
	}, append([]string{"service", "run", name, "--"}, args...)...)
	if err != nil {
		return fmt.Errorf("create service %s: %w", name, err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := restartOnFailure(s); err != nil {
		return errors.Join(fmt.Errorf("set the restart of service %s: %w", name, err), s.Delete())
	}
	fmt.Fprintln(a.Stdout, name)
	return nil
}

// restartOnFailure makes the service manager start a service again 5 s after it failed: when it crashed, and also when it
// reported that it stopped with an error, which is how a program in Go ends.
//
// https://learn.microsoft.com/windows/win32/api/winsvc/ns-winsvc-service_failure_actions_flag
func restartOnFailure(s *mgr.Service) error {
	restart := mgr.RecoveryAction{Type: mgr.ServiceRestart, Delay: 5 * time.Second}
	if err := s.SetRecoveryActions([]mgr.RecoveryAction{restart, restart, restart}, 24*60*60); err != nil {
		return err
	}
	return s.SetRecoveryActionsOnNonCrashFailures(true)
}

func (a *App) removeService(name string) (err error) {
	m, err := mgr.Connect()
	if err != nil {
		return fmt.Errorf("open the service manager: %w", err)
	}
	defer func() { err = errors.Join(err, m.Disconnect()) }()
	s, err := m.OpenService(name)
	if err != nil {
		return fmt.Errorf("open service %s: %w", name, err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.Delete(); err != nil {
		return fmt.Errorf("delete service %s: %w", name, err)
	}
	fmt.Fprintln(a.Stdout, name)
	return nil
}

func (a *App) runService(ctx context.Context, name string, args []string) error {
	// A service receives a console event when any user logs off, which must not end it.
	signal.Reset(endSignals...)
	err := svc.Run(name, &service{app: a, ctx: ctx, args: args})
	if errors.Is(err, windows.ERROR_FAILED_SERVICE_CONTROLLER_CONNECT) {
		return errors.New("run service " + name + ": not started by the service manager; use sc start " + name)
	}
	return err
}

// service handles the requests of the service manager.
type service struct {
	app  *App
	ctx  context.Context
	args []string
}

// Execute implements [svc.Handler]: the verb runs until it ends or the manager stops it. The exit code of a verb that
// ended by itself is reported as the service's own, and anything but 0 makes the manager start the service again. After a
// requested stop it is always 0: a program that was stopped may have another code, and must not be started again.
func (s *service) Execute(_ []string, requests <-chan svc.ChangeRequest, status chan<- svc.Status) (own bool, code uint32) {
	nowhere, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return true, codeOwn
	}
	defer nowhere.Close()
	// A service has no standard streams, and silo starts no program without them.
	s.app.Stdin, s.app.Stdout, s.app.Stderr = nowhere, nowhere, nowhere
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
			return true, uint32(code)
		case r := <-requests:
			switch r.Cmd {
			case svc.Interrogate:
				status <- r.CurrentStatus
			case svc.Stop, svc.Shutdown:
				hint := uint32(damonGrace/time.Millisecond) + 5000
				status <- svc.Status{State: svc.StopPending, WaitHint: hint}
				requested = true
				cancel()
			}
		}
	}
}
