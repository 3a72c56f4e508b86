package service

import (
	"context"
	"fmt"
	"os"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	types "github.com/containerd/containerd/api/types/task"
	"github.com/containerd/typeurl/v2"

	"github.com/siloshim/siloshim/shim/task"
	"github.com/siloshim/siloshim/stats/runhcs"
)

// Pids lists every process of a task with its details; those of the execs have the exec id. The list is never empty:
// containerd treats a shim without processes as dead (core/runtime/v2/shim_load.go). A task without one has the pid of
// the shim.
func (s *Service) Pids(ctx context.Context, r *api.PidsRequest) (*api.PidsResponse, error) {
	t, err := s.task(r.ID)
	if err != nil {
		return nil, err
	}
	processes, err := t.Container().Processes(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the processes of task %s: %w", r.ID, err)
	}
	answer := &api.PidsResponse{}
	execs := runningExecs(t.Task)
	for i := range processes {
		pid := processes[i].Pid
		info, err := typeurl.MarshalAnyToProto(runhcs.ProcessDetails(processes[i], execs[pid]))
		if err != nil {
			return nil, err
		}
		answer.Processes = append(answer.Processes, &types.ProcessInfo{Pid: pid, Info: info})
	}
	if len(answer.Processes) == 0 {
		answer.Processes = []*types.ProcessInfo{{Pid: uint32(os.Getpid())}}
	}
	return answer, nil
}

// runningExecs returns the exec ids of the processes that the shim has started, by pid.
func runningExecs(t *task.Task) map[uint32]string {
	execs := map[uint32]string{}
	for _, p := range t.Processes() {
		if now := p.Status(); now.State.Live() {
			execs[now.Pid] = p.ID
		}
	}
	return execs
}

// Stats returns the statistics of a task in any state.
func (s *Service) Stats(ctx context.Context, r *api.StatsRequest) (*api.StatsResponse, error) {
	t, err := s.task(r.ID)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	sample, err := t.Container().Stats(ctx, t.Init.Status().StartedAt)
	if err != nil {
		return nil, fmt.Errorf("statistics of task %s: %w", r.ID, err)
	}
	data, err := typeurl.MarshalAnyToProto(runhcs.Statistics(sample))
	return &api.StatsResponse{Stats: data}, err
}
