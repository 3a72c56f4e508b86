package service

import (
	"context"
	"time"

	sandbox "github.com/containerd/containerd/api/runtime/sandbox/v1"
	"github.com/containerd/ttrpc"
)

// Names of the Task API. Both versions have the same methods with the same messages on the wire; containerd 1.7 asks
// for the older name.
const (
	taskV2 = "containerd.task.v2.Task"
	taskV3 = "containerd.task.v3.Task"
)

// sandboxV1 is the name of the Sandbox API.
const sandboxV1 = "containerd.runtime.sandbox.v1.Sandbox"

// register serves the Task API under both its names.
func register(server *ttrpc.Server, s *Service) {
	methods := map[string]ttrpc.Method{
		"State":      method(s.State),
		"Create":     method(within(launchBound, s.Create, s.undoCreate)),
		"Start":      method(within(launchBound, s.Start, s.undoStart)),
		"Delete":     method(within(teardownBound, s.Delete, nil)),
		"Pids":       method(within(requestBound, s.Pids, nil)),
		"Pause":      method(within(requestBound, s.Pause, nil)),
		"Resume":     method(within(requestBound, s.Resume, nil)),
		"Checkpoint": method(s.Checkpoint),
		"Kill":       method(s.Kill),
		"Exec":       method(within(requestBound, s.Exec, s.undoExec)),
		"ResizePty":  method(within(requestBound, s.ResizePty, nil)),
		"CloseIO":    method(within(requestBound, s.CloseIO, nil)),
		"Update":     method(within(requestBound, s.Update, nil)),
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
		bound := time.Duration(r.TimeoutSecs)*time.Second + teardownBound
		return within(bound, s.StopSandbox, nil)(ctx, r)
	}
	server.RegisterService(sandboxV1, &ttrpc.ServiceDesc{Methods: map[string]ttrpc.Method{
		"CreateSandbox":   method(within(launchBound, s.CreateSandbox, nil)),
		"StartSandbox":    method(within(requestBound, s.StartSandbox, nil)),
		"Platform":        method(s.Platform),
		"StopSandbox":     method(stop),
		"WaitSandbox":     method(s.WaitSandbox),
		"UpdateSandbox":   method(s.UpdateSandbox),
		"SandboxStatus":   method(within(requestBound, s.SandboxStatus, nil)),
		"PingSandbox":     method(s.PingSandbox),
		"ShutdownSandbox": method(within(teardownBound, s.ShutdownSandbox, nil)),
		"SandboxMetrics":  method(within(requestBound, s.SandboxMetrics, nil)),
	}})
}

// method fits a typed method to ttrpc.
func method[Request, Response any](call func(context.Context, *Request) (*Response, error)) ttrpc.Method {
	return func(ctx context.Context, unmarshal func(any) error) (any, error) {
		request := new(Request)
		if err := unmarshal(request); err != nil {
			return nil, err
		}
		return call(ctx, request)
	}
}
