package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	api "github.com/containerd/containerd/api/runtime/task/v2"
	"github.com/opencontainers/runtime-spec/specs-go"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/siloshim/siloshim/test/workload"
)

const (
	execs    = 5        // in one container
	calls    = 40       // of each query
	flood    = 16 << 20 // bytes that one program prints
	sigkill  = 9
	children = 3 // besides init, so that statistics have several processes to sum
)

// timeout bounds the measurement of one shim. No step takes that long: a shim that reaches it hangs.
const timeout = 15 * time.Second

// measure takes one or more samples of every quantity from a new shim. A shim that hangs is counted and abandoned.
func measure(ctx context.Context, k *kind, dir string) error {
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err := walk(bounded, k, dir)
	if err != nil && bounded.Err() != nil && ctx.Err() == nil {
		k.hung = append(k.hung, err)
		return nil
	}
	return err
}

// walk runs all steps with a shim.
func walk(ctx context.Context, k *kind, dir string) error {
	s, err := startShim(ctx, k, dir, "tree", fmt.Sprint(children), "600")
	if err != nil {
		return err
	}
	defer s.end()
	for _, step := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"create", s.create}, {"start", s.begin}, {"exec", s.execs}, {"queries", s.queries}, {"members", s.members}, {"memory", s.memory},
		{"delete", s.remove}, {"shutdown", s.shutdown}, {"stdio", func(ctx context.Context) error { return throughput(ctx, k, dir) }},
	} {
		if err := step.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return nil
}

func (s *shim) create(ctx context.Context) error {
	began := time.Now()
	if _, err := s.Create(ctx, &api.CreateTaskRequest{ID: s.id, Bundle: s.bundle, Stdout: s.stdout}); err != nil {
		return err
	}
	s.kind.time("create", began)
	answer, err := s.Connect(ctx, &api.ConnectRequest{ID: s.id})
	s.pid = answer.GetShimPid()
	return err
}

func (s *shim) begin(ctx context.Context) error {
	began := time.Now()
	if _, err := s.Start(ctx, &api.StartRequest{ID: s.id}); err != nil {
		return err
	}
	s.kind.time("start", began)
	return nil
}

// execs runs programs that exit at once, one after the other.
func (s *shim) execs(ctx context.Context) error {
	text, err := json.Marshal(&specs.Process{
		Args: []string{workload.Payload, "exit", "0"}, Cwd: `C:\`, User: s.kind.spec().Process.User,
	})
	if err != nil {
		return err
	}
	spec := &anypb.Any{TypeUrl: "types.containerd.io/opencontainers/runtime-spec/1/Process", Value: text}
	for i := range execs {
		began := time.Now()
		if err := s.exec(ctx, fmt.Sprintf("e%d", i), spec); err != nil {
			return err
		}
		s.kind.time("exec", began)
	}
	return nil
}

// exec runs one program from its creation to its deletion.
func (s *shim) exec(ctx context.Context, id string, spec *anypb.Any) error {
	if _, err := s.Exec(ctx, &api.ExecProcessRequest{ID: s.id, ExecID: id, Spec: spec}); err != nil {
		return err
	}
	if _, err := s.Start(ctx, &api.StartRequest{ID: s.id, ExecID: id}); err != nil {
		return err
	}
	if _, err := s.Wait(ctx, &api.WaitRequest{ID: s.id, ExecID: id}); err != nil {
		return err
	}
	_, err := s.Delete(ctx, &api.DeleteRequest{ID: s.id, ExecID: id})
	return err
}

// queries calls the methods that change nothing. Before, all programs of the container must run.
func (s *shim) queries(ctx context.Context) error {
	if err := s.settle(ctx); err != nil {
		return err
	}
	for _, m := range []struct {
		name string
		call func() error
	}{
		{"state", func() error { _, err := s.State(ctx, &api.StateRequest{ID: s.id}); return err }},
		{"pids", func() error { _, err := s.Pids(ctx, &api.PidsRequest{ID: s.id}); return err }},
		{"stats", func() error { _, err := s.Stats(ctx, &api.StatsRequest{ID: s.id}); return err }},
	} {
		for range calls {
			began := time.Now()
			if err := m.call(); err != nil {
				return fmt.Errorf("%s: %w", m.name, err)
			}
			s.kind.time(m.name, began)
		}
	}
	return nil
}

// settle waits until init has all its descendants.
func (s *shim) settle(ctx context.Context) error {
	for programs := 0; programs != children+1; {
		answer, err := s.Pids(ctx, &api.PidsRequest{ID: s.id})
		if err != nil {
			return fmt.Errorf("pids: %w", err)
		}
		programs = 0
		for _, p := range answer.GetProcesses() {
			if name, err := imageOf(p.GetPid()); err == nil && strings.EqualFold(filepath.Base(name), filepath.Base(workload.Payload)) {
				programs++
			}
		}
	}
	return nil
}

// members counts the members of the job. Console hosts are among them.
func (s *shim) members(ctx context.Context) error {
	answer, err := s.Pids(ctx, &api.PidsRequest{ID: s.id})
	if err != nil {
		return err
	}
	s.kind.add("members", "", float64(len(answer.GetProcesses())))
	return nil
}

// remove kills the task and deletes it.
func (s *shim) remove(ctx context.Context) error {
	began := time.Now()
	if _, err := s.Kill(ctx, &api.KillRequest{ID: s.id, Signal: sigkill, All: true}); err != nil {
		return err
	}
	if _, err := s.Wait(ctx, &api.WaitRequest{ID: s.id}); err != nil {
		return err
	}
	s.kind.time("kill and wait", began)
	began = time.Now()
	if _, err := s.Delete(ctx, &api.DeleteRequest{ID: s.id}); err != nil {
		return err
	}
	s.kind.time("delete", began)
	return nil
}

// shutdown ends the shim, closes the connection as containerd does, and waits for the exit of its process. Then it runs the
// verb delete.
func (s *shim) shutdown(ctx context.Context) error {
	began := time.Now()
	_, _ = s.Shutdown(ctx, &api.ShutdownRequest{ID: s.id, Now: true}) // the answer may be lost
	_ = s.conn.Close()
	if err := ended(ctx, s.pid); err != nil {
		return err
	}
	s.kind.time("shutdown", began)
	began = time.Now()
	if out, err := s.command(ctx, "delete").Output(); err != nil || len(out) == 0 {
		return fmt.Errorf("delete command: %w", withStderr(err))
	}
	s.kind.time("delete command", began)
	return nil
}
