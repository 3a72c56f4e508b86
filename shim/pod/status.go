package service

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	api "github.com/containerd/containerd/api/runtime/sandbox/v1"
	"github.com/containerd/containerd/api/types"
	"github.com/containerd/errdefs"
	"github.com/containerd/typeurl/v2"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/siloshim/siloshim/shim/task"
	"github.com/siloshim/siloshim/stats"
	"github.com/siloshim/siloshim/stats/runhcs"
)

// The states of a sandbox, as Kubernetes' runtime interface spells them.
const (
	ready    = "SANDBOX_READY"
	notReady = "SANDBOX_NOTREADY"
)

// Platform tells what the pod's containers have to be made for: the host's own system.
func (s *Service) Platform(_ context.Context, r *api.PlatformRequest) (*api.PlatformResponse, error) {
	if _, _, err := s.sandbox(r.SandboxID); err != nil {
		return nil, err
	}
	return &api.PlatformResponse{Platform: &types.Platform{OS: "windows", Architecture: runtime.GOARCH, OSVersion: osVersion()}}, nil
}

// WaitSandbox answers once the sandbox has ended: with 0 if it was stopped, and with 137 if it was killed.
func (s *Service) WaitSandbox(ctx context.Context, r *api.WaitSandboxRequest) (*api.WaitSandboxResponse, error) {
	_, t, err := s.sandbox(r.SandboxID)
	if err != nil {
		return nil, err
	}
	end, err := t.Init.Wait(ctx)
	if err != nil {
		return nil, err
	}
	return &api.WaitSandboxResponse{ExitStatus: end.Exit, ExitedAt: timestamppb.New(end.ExitedAt)}, nil
}

// PingSandbox tells whether the sandbox runs: it fails with [errdefs.ErrFailedPrecondition] if it does not.
func (s *Service) PingSandbox(_ context.Context, r *api.PingRequest) (*api.PingResponse, error) {
	_, t, err := s.sandbox(r.SandboxID)
	if err != nil {
		return nil, err
	}
	if state := t.Init.Status().State; state != task.Running {
		return nil, fmt.Errorf("sandbox %s is %s: %w", r.SandboxID, state, errdefs.ErrFailedPrecondition)
	}
	return &api.PingResponse{}, nil
}

// SandboxStatus tells where the sandbox stands, and if it is asked to be verbose, what is in the pod.
func (s *Service) SandboxStatus(_ context.Context, r *api.SandboxStatusRequest) (*api.SandboxStatusResponse, error) {
	p, t, err := s.sandbox(r.SandboxID)
	if err != nil {
		return nil, err
	}
	now := t.Init.Status()
	answer := &api.SandboxStatusResponse{
		SandboxID: p.id, Pid: now.Pid, State: notReady, CreatedAt: timestamppb.New(p.created),
	}
	if now.State == task.Running {
		answer.State = ready
	}
	if !now.ExitedAt.IsZero() {
		answer.ExitedAt = timestamppb.New(now.ExitedAt)
	}
	if r.Verbose {
		if answer.Info, err = s.describe(p, now); err != nil {
			return nil, fmt.Errorf("describe sandbox %s: %w", p.id, err)
		}
	}
	return answer, nil
}

// workload is what a verbose status tells about one.
type workload struct {
	ID        string     `json:"id"`
	State     string     `json:"state"`
	Pid       uint32     `json:"pid,omitempty"`
	Execs     int        `json:"execs,omitempty"`
	StartedAt *time.Time `json:"started_at,omitempty"`
	ExitedAt  *time.Time `json:"exited_at,omitempty"`
	Exit      *uint32    `json:"exit_status,omitempty"`
	Reason    string     `json:"reason,omitempty"`

	Limits     map[string]any    `json:"limits,omitempty"`
	Violations map[string]uint64 `json:"limit_violations,omitempty"`
}

// describe is the verbose part of a status. Values are text or JSON, which crictl shows as such.
func (s *Service) describe(p *pod, now task.Status) (map[string]string, error) {
	list := []workload{}
	for _, t := range s.workloads(p) {
		list = append(list, describe(t))
	}
	slices.SortFunc(list, func(a, b workload) int { return strings.Compare(a.ID, b.ID) })
	text, err := json.Marshal(list)
	if err != nil {
		return nil, err
	}
	kind := "process isolated"
	if p.job {
		kind = "host process"
	}
	info := map[string]string{
		"kind": kind, "state": now.State.String(), "pid": strconv.Itoa(os.Getpid()), "workloads": string(text),
	}
	if p.network != "" {
		info["networkSandboxPath"] = p.network
	}
	return info, nil
}

func describe(t *entry) workload {
	now := t.Init.Status()
	w := workload{ID: t.ID, State: now.State.String(), Pid: now.Pid, Execs: len(t.Processes()) - 1}
	if !now.StartedAt.IsZero() {
		w.StartedAt = &now.StartedAt
	}
	if !now.ExitedAt.IsZero() {
		w.ExitedAt, w.Exit, w.Reason = &now.ExitedAt, &now.Exit, now.Reason.String()
	}
	status := t.container.Status()
	w.Limits, w.Violations = status.Limits, status.Violations
	return w
}

// SandboxMetrics sums what the pod's containers use.
func (s *Service) SandboxMetrics(ctx context.Context, r *api.SandboxMetricsRequest) (*api.SandboxMetricsResponse, error) {
	p, t, err := s.sandbox(r.SandboxID)
	if err != nil {
		return nil, err
	}
	sum := stats.Idle(time.Now(), t.Init.Status().StartedAt)
	for _, t := range append(s.workloads(p), t) {
		one, err := t.container.Stats(ctx, t.Init.Status().StartedAt)
		if err != nil {
			return nil, fmt.Errorf("statistics of task %s: %w", t.ID, err)
		}
		sum.Add(&one)
	}
	data, err := typeurl.MarshalAnyToProto(runhcs.Statistics(sum))
	if err != nil {
		return nil, fmt.Errorf("statistics of sandbox %s: %w", p.id, err)
	}
	return &api.SandboxMetricsResponse{Metrics: &types.Metric{Timestamp: timestamppb.New(sum.Timestamp), ID: p.id, Data: data}}, nil
}
