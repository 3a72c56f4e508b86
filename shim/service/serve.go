package service

import (
	"context"
	"errors"
	"net"
	"time"

	sandbox "github.com/containerd/containerd/api/runtime/sandbox/v1"
	"github.com/containerd/ttrpc"
)

// shutdownGrace bounds how long the shim waits for its clients to disconnect when it ends. The client that requested the
// end disconnects once it has the answer. The shim must not be first: ttrpc closes a connection before it has written
// the answer.
const shutdownGrace = 3 * time.Second

// Serve answers requests on l until a client has requested the end, the idle timeout is over, or ctx is done. It sets
// c.Shutdown and closes the listener.
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
	go func() { served <- server.Serve(ctx, listener{l, idle}) }() // Close below ends it
	select {
	case err = <-served:
		return err
	case <-ctx.Done():
	}
	select {
	case <-idle.noClients():
	case <-time.After(shutdownGrace): // a client with a pending Wait does not keep the shim
	}
	err = server.Close()
	if end := <-served; !errors.Is(end, ttrpc.ErrServerClosed) {
		err = errors.Join(err, end)
	}
	return err
}

// Names of the Task API. Both versions have the same methods and messages; containerd 1.7 uses the older name.
const (
	taskV2 = "containerd.task.v2.Task"
	taskV3 = "containerd.task.v3.Task"
)

// sandboxV1 is the name of the Sandbox API.
const sandboxV1 = "containerd.runtime.sandbox.v1.Sandbox"

// register serves the Task API under both names.
func register(server *ttrpc.Server, s *Service) {
	methods := map[string]ttrpc.Method{
		"State":      method(s.State),
		"Create":     method(withTimeout("Create", createTimeout, s.Create, s.undoCreate)),
		"Start":      method(withTimeout("Start", createTimeout, s.Start, s.undoStart)),
		"Delete":     method(withTimeout("Delete", deleteTimeout, s.Delete, nil)),
		"Pids":       method(withTimeout("Pids", requestTimeout, s.Pids, nil)),
		"Pause":      method(withTimeout("Pause", requestTimeout, s.Pause, nil)),
		"Resume":     method(withTimeout("Resume", requestTimeout, s.Resume, nil)),
		"Checkpoint": method(s.Checkpoint),
		"Kill":       method(s.Kill),
		"Exec":       method(withTimeout("Exec", requestTimeout, s.Exec, s.undoExec)),
		"ResizePty":  method(withTimeout("ResizePty", requestTimeout, s.ResizePty, nil)),
		"CloseIO":    method(withTimeout("CloseIO", requestTimeout, s.CloseIO, nil)),
		"Update":     method(withTimeout("Update", requestTimeout, s.Update, nil)),
		"Wait":       method(s.Wait),
		"Stats":      method(s.Stats),
		"Connect":    method(s.Connect),
		"Shutdown":   method(s.Shutdown),
	}
	for _, name := range []string{taskV3, taskV2} {
		server.RegisterService(name, &ttrpc.ServiceDesc{Methods: methods})
	}
}

// registerSandbox serves the Sandbox API.
func registerSandbox(server *ttrpc.Server, s *Service) {
	stop := func(ctx context.Context, r *sandbox.StopSandboxRequest) (*sandbox.StopSandboxResponse, error) {
		bound := time.Duration(r.TimeoutSecs)*time.Second + deleteTimeout
		return withTimeout("StopSandbox", bound, s.StopSandbox, nil)(ctx, r)
	}
	server.RegisterService(sandboxV1, &ttrpc.ServiceDesc{Methods: map[string]ttrpc.Method{
		"CreateSandbox":   method(withTimeout("CreateSandbox", createTimeout, s.CreateSandbox, nil)),
		"StartSandbox":    method(withTimeout("StartSandbox", requestTimeout, s.StartSandbox, nil)),
		"Platform":        method(s.Platform),
		"StopSandbox":     method(stop),
		"WaitSandbox":     method(s.WaitSandbox),
		"UpdateSandbox":   method(s.UpdateSandbox),
		"SandboxStatus":   method(withTimeout("SandboxStatus", requestTimeout, s.SandboxStatus, nil)),
		"PingSandbox":     method(s.PingSandbox),
		"ShutdownSandbox": method(withTimeout("ShutdownSandbox", deleteTimeout, s.ShutdownSandbox, nil)),
		"SandboxMetrics":  method(withTimeout("SandboxMetrics", requestTimeout, s.SandboxMetrics, nil)),
	}})
}

// method adapts a typed method to ttrpc.
func method[Request, Response any](call func(context.Context, *Request) (*Response, error)) ttrpc.Method {
	return func(ctx context.Context, unmarshal func(any) error) (any, error) {
		request := new(Request)
		if err := unmarshal(request); err != nil {
			return nil, err
		}
		return call(ctx, request)
	}
}
