package pod

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	api "github.com/containerd/containerd/api/runtime/sandbox/v1"
	"github.com/containerd/containerd/api/types"
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

// Status reports the state of the sandbox and, if verbose, what is in the pod. The values of Info are text or JSON, which
// crictl prints.
func (p *Pod) Status(verbose bool) (*api.SandboxStatusResponse, error) {
	sandbox, workloads := p.tasks()
	now := sandbox.Init.Status()
	r := &api.SandboxStatusResponse{
		SandboxID: p.ID, Pid: now.Pid, State: notReady, CreatedAt: p.CreatedAt(), ExitedAt: task.Timestamp(now.ExitedAt),
	}
	if now.State == task.Running {
		r.State = ready
	}
	var err error
	if verbose {
		r.Info, err = p.info(now, workloads)
	}
	return r, err
}

// CreatedAt is when the sandbox was created.
func (p *Pod) CreatedAt() *timestamppb.Timestamp { return timestamppb.New(p.created) }

// workload is what a verbose status has of a workload.
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

func (p *Pod) info(now task.Status, workloads []*task.Task) (map[string]string, error) {
	list := []workload{}
	for _, t := range workloads {
		list = append(list, describe(t))
	}
	slices.SortFunc(list, func(a, b workload) int { return strings.Compare(a.ID, b.ID) })
	text, err := json.Marshal(list)
	if err != nil {
		return nil, fmt.Errorf("describe sandbox %s: %w", p.ID, err)
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

func describe(t *task.Task) workload {
	now := t.Init.Status()
	w := workload{ID: t.ID, State: now.State.String(), Pid: now.Pid, Execs: len(t.Processes()) - 1}
	if !now.StartedAt.IsZero() {
		w.StartedAt = &now.StartedAt
	}
	if !now.ExitedAt.IsZero() {
		w.ExitedAt, w.Exit, w.Reason = &now.ExitedAt, &now.Exit, now.Reason.String()
	}
	status := t.Container().Status()
	w.Limits, w.Violations = status.Limits, status.Violations
	return w
}

// Metrics adds up the statistics of the sandbox and the workloads. It fails if one of them does.
func (p *Pod) Metrics(ctx context.Context) (*types.Metric, error) {
	sandbox, workloads := p.tasks()
	sum := stats.Idle(time.Now(), sandbox.Init.Status().StartedAt)
	for _, t := range append(workloads, sandbox) {
		one, err := t.Container().Stats(ctx, t.Init.Status().StartedAt)
		if err != nil {
			return nil, fmt.Errorf("statistics of task %s: %w", t.ID, err)
		}
		sum.Add(&one)
	}
	data, err := typeurl.MarshalAnyToProto(runhcs.Statistics(sum))
	if err != nil {
		return nil, fmt.Errorf("statistics of sandbox %s: %w", p.ID, err)
	}
	return &types.Metric{Timestamp: timestamppb.New(sum.Timestamp), ID: p.ID, Data: data}, nil
}
