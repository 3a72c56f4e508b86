package shim

import (
	"context"

	"github.com/containerd/ttrpc"
)

// Names of the Task API. Both versions have the same methods with the same messages on the wire; containerd 1.7 asks
// for the older name.
const (
	taskV2 = "containerd.task.v2.Task"
	taskV3 = "containerd.task.v3.Task"
)

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
