package service_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	sandbox "github.com/containerd/containerd/api/runtime/sandbox/v1"
	api "github.com/containerd/containerd/api/runtime/task/v3"

	"github.com/siloshim/siloshim/shim/pod"
)

// TestPod_EndsWhileContainersComeAndGo_NothingLeft ends a pod in three ways while containers are created and deleted.
// Requests that are too late fail, and nothing is left.
func TestPod_EndsWhileContainersComeAndGo_NothingLeft(t *testing.T) {
	ways := map[string]func(*podWorld) error{
		"stopped first": func(p *podWorld) error {
			return second(p.StopSandbox(context.Background(), &sandbox.StopSandboxRequest{SandboxID: "p"}))
		},
		"killed first": func(p *podWorld) error {
			return second(p.Kill(context.Background(), &api.KillRequest{ID: "p", Signal: 9, All: true}))
		},
		"shut down": func(*podWorld) error { return nil },
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			p := newRunningPod(t)
			before := p.Kernel.OpenHandles()
			var all sync.WaitGroup
			created := make(chan struct{}, 8)
			for i := range cap(created) {
				id := fmt.Sprint("w", i)
				at := inPod(t, "container", nil, "sleep")
				all.Go(func() { p.createUntilRefused(id, at, created) })
			}
			<-created
			if err := way(p); err != nil {
				t.Error(err)
			}
			if _, err := p.ShutdownSandbox(t.Context(), &sandbox.ShutdownSandboxRequest{SandboxID: "p"}); err != nil {
				t.Error(err)
			}
			all.Wait()
			_ = p.Client.Close()
			p.Served <- <-p.Served // once for this test, once for its end
			p.Kernel.Wait()
			if left := p.Kernel.OpenHandles(); left != before {
				t.Errorf("%d handles are open, %d were before", left, before)
			}
			if left, err := pod.Workloads(p.bundle); err != nil || len(left) > 0 {
				t.Errorf("left in the bundle: %v, %v", left, err)
			}
		})
	}
}

// createUntilRefused makes one container after another until the pod refuses it, and leaves each in another state.
func (p *podWorld) createUntilRefused(id, bundle string, created chan<- struct{}) {
	ctx := context.Background()
	for i := range 100 {
		name := fmt.Sprint(id, "-", i)
		if _, err := p.Create(ctx, &api.CreateTaskRequest{ID: name, Bundle: bundle}); err != nil {
			return
		}
		select {
		case created <- struct{}{}:
		default:
		}
		if i%3 == 0 {
			continue // left created
		}
		_, _ = p.Start(ctx, &api.StartRequest{ID: name}) // this and the next may be too late
		if i%3 == 1 {
			_, _ = p.Kill(ctx, &api.KillRequest{ID: name, Signal: 9})
			_, _ = p.Wait(ctx, &api.WaitRequest{ID: name})
			_, _ = p.Delete(ctx, &api.DeleteRequest{ID: name})
		}
	}
}
