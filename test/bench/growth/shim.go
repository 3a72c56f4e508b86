package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"

	"github.com/containerd/containerd/api/events"
	api "github.com/containerd/containerd/api/runtime/task/v3"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/siloshim/siloshim/container/containertest"
	"github.com/siloshim/siloshim/container/engine"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/jobobject/jobtest"
	"github.com/siloshim/siloshim/shim/service"
	"github.com/siloshim/siloshim/test/sim"
)

// shim is one on a simulated kernel.
type shim struct {
	*sim.World

	ids    []string   // the containers
	mu     sync.Mutex // guards the field below
	exited map[string]chan struct{}
}

func newShim() *shim {
	s := &shim{World: &sim.World{Kernel: jobtest.New(), Pods: new(containertest.Machine), Served: make(chan error, 1)}}
	s.exited = map[string]chan struct{}{}
	s.Kernel.RecyclePids() // as Windows does; otherwise the simulated kernel keeps a list of them
	s.Kernel.Program("workload.exe", program)
	s.ServeInMemory(service.Config{
		Namespace: "ns", Engine: engine.Engine{Kernel: s.Kernel, Pods: s.Pods}, Emit: s.see,
		Machine: plan.Machine{Lookup: func(path string) bool { return path == sim.Program }},
	})
	return s
}

// program is what the containers run: "family N" has N processes.
func program(p *jobtest.Proc) uint32 {
	if p.Args[1] != "family" {
		return sim.Workload(p)
	}
	size, err := strconv.Atoi(p.Args[2])
	for range size - 1 {
		if err == nil {
			_, err = p.Spawn(p.Args[0], "sleep")
		}
	}
	if err != nil {
		return 1
	}
	<-p.Done()
	return 0
}

// end ends the shim's programs, and the shim. It returns the error with which the shim has ended.
func (s *shim) end() error {
	for _, id := range s.ids {
		_, _ = s.Kill(context.Background(), &api.KillRequest{ID: id, Signal: 9, All: true}) // it may have ended
	}
	s.Kernel.Wait()
	_, _ = s.Shutdown(context.Background(), &api.ShutdownRequest{Now: true}) // the answer may be lost
	return errors.Join(s.Client.Close(), <-s.Served)
}

// see is called with each event.
func (s *shim) see(event any) {
	exit, ok := event.(*events.TaskExit)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.exited[exit.ID]; c != nil {
		close(c)
		delete(s.exited, exit.ID)
	}
}

// awaitExit returns a channel that is closed with the event of an exit.
func (s *shim) awaitExit(id string) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.exited[id] = make(chan struct{})
	return s.exited[id]
}

// run creates and starts a container.
func (s *shim) run(ctx context.Context, id string, args ...string) error {
	text, err := json.Marshal(sim.Spec(args...))
	if err != nil {
		return err
	}
	bundle, err := os.MkdirTemp("", "growth")
	if err != nil {
		return err
	}
	err = os.WriteFile(filepath.Join(bundle, "config.json"), text, 0o600)
	if err == nil {
		_, err = s.Create(ctx, &api.CreateTaskRequest{ID: id, Bundle: bundle})
	}
	if err == nil {
		_, err = s.Start(ctx, &api.StartRequest{ID: id})
	}
	s.ids = append(s.ids, id)
	return errors.Join(err, os.RemoveAll(bundle))
}

// awaitMembers waits until the container has that many processes.
func (s *shim) awaitMembers(ctx context.Context, size int) error {
	for ctx.Err() == nil {
		r, err := s.Pids(ctx, &api.PidsRequest{ID: mainID})
		if err != nil || len(r.Processes) == size {
			return err
		}
		runtime.Gosched()
	}
	return ctx.Err()
}

// exec starts a process in a container.
func (s *shim) exec(ctx context.Context, id, exec string, args ...string) error {
	text, err := json.Marshal(sim.Process(args...))
	if err != nil {
		return err
	}
	if _, err := s.Exec(ctx, &api.ExecProcessRequest{ID: id, ExecID: exec, Spec: &anypb.Any{Value: text}}); err != nil {
		return err
	}
	_, err = s.Start(ctx, &api.StartRequest{ID: id, ExecID: exec})
	return err
}

// remove waits for the end of a process, and deletes it.
func (s *shim) remove(ctx context.Context, id, exec string) error {
	if _, err := s.Wait(ctx, &api.WaitRequest{ID: id, ExecID: exec}); err != nil {
		return err
	}
	_, err := s.Delete(ctx, &api.DeleteRequest{ID: id, ExecID: exec})
	return err
}
