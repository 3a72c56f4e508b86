package shim

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/Microsoft/hcsshim/pkg/annotations"
	api "github.com/containerd/containerd/api/runtime/sandbox/v1"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/runtime-spec/specs-go"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/shim/task"
)

var _ api.TTRPCSandboxService = (*Service)(nil)

// CreateSandbox makes this the shim of a pod. Its sandbox has no process, neither among job containers nor among Windows
// Server containers: those join the network namespace that the request names. Containerd asks the Task API for the
// sandbox as well, so it is a task; but one that is not announced, for it is no container.
func (s *Service) CreateSandbox(ctx context.Context, r *api.CreateSandboxRequest) (*api.CreateSandboxResponse, error) {
	if err := plan.ValidID(r.SandboxID); err != nil {
		return nil, err
	}
	if err := s.createSandbox(ctx, r); err != nil {
		return nil, fmt.Errorf("create sandbox %s: %w", r.SandboxID, err)
	}
	return &api.CreateSandboxResponse{}, nil
}

func (s *Service) createSandbox(ctx context.Context, r *api.CreateSandboxRequest) error {
	p, err := s.planSandbox(r)
	if err != nil {
		return err
	}
	if err := s.reserve(p.id); err != nil {
		return err
	}
	if err := s.found(p); err != nil {
		s.free(p.id)
		return err
	}
	relay, err := s.open(ctx, p.id, task.Stdio{}, s.config.Options)
	if err != nil {
		s.unfound(p.id)
		s.free(p.id)
		return err
	}
	placeholder := newPlaceholder()
	return s.settle(s.newEntry(p.id, p.bundle, made{Container: placeholder, init: &plan.Process{}, plan: placeholder}, s.config.Options, relay, task.Stdio{}))
}

// planSandbox reads what kind of pod is asked for. That is in the options where the runtime interface of Kubernetes
// asks, and else in the annotations of the request, of the bundle's spec or of the runtime's options.
func (s *Service) planSandbox(r *api.CreateSandboxRequest) (*pod, error) {
	switch {
	case len(r.Rootfs) > 0:
		return nil, fmt.Errorf("rootfs: the sandbox has no process that could use one: leave it out: %w", errdefs.ErrInvalidArgument)
	case r.BundlePath == "":
		return nil, fmt.Errorf("bundle_path is missing: name the sandbox's bundle: %w", errdefs.ErrInvalidArgument)
	}
	own, err := plan.Annotations(r.BundlePath)
	if err != nil {
		return nil, err
	}
	p := &pod{
		id: r.SandboxID, bundle: r.BundlePath, api: true, network: r.NetnsPath,
		annotations: map[string]string{}, created: time.Now(),
	}
	for _, from := range []map[string]string{s.config.Options.DefaultAnnotations, own, r.Annotations} {
		maps.Copy(p.annotations, from)
	}
	wanted, said, err := hostProcess(r.Options)
	if err != nil {
		return nil, err
	}
	if said {
		p.annotations[annotations.HostProcessContainer] = strconv.FormatBool(wanted)
	}
	as := &specs.Spec{Annotations: p.annotations, Windows: &specs.Windows{}}
	if p.job = plan.IsHostProcess(as); p.job {
		return p, plan.CheckPlaceholder(as)
	}
	return p, nil
}

// errNoSandbox says that nobody has made a sandbox yet.
var errNoSandbox = fmt.Errorf("the shim has none: %w", errdefs.ErrNotFound)

// sandbox finds the sandbox of this shim, or fails with [errdefs.ErrNotFound] and says whose shim it is.
func (s *Service) sandbox(id string) (*pod, *entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch p := s.pod; {
	case p == nil:
		return nil, nil, fmt.Errorf("sandbox %s: %w", id, errNoSandbox)
	case p.id != id:
		return nil, nil, fmt.Errorf("sandbox %s: this is the shim of sandbox %s: %w", id, p.id, errdefs.ErrNotFound)
	case s.tasks[id] == nil:
		return nil, nil, fmt.Errorf("sandbox %s: %w", id, errdefs.ErrNotFound)
	default:
		return p, s.tasks[id], nil
	}
}

// StartSandbox lets the pod's containers come. It fails with [errdefs.ErrFailedPrecondition] before CreateSandbox.
func (s *Service) StartSandbox(ctx context.Context, r *api.StartSandboxRequest) (*api.StartSandboxResponse, error) {
	p, t, err := s.sandbox(r.SandboxID)
	if errors.Is(err, errNoSandbox) {
		err = fmt.Errorf("start sandbox %s: create it first: %w", r.SandboxID, errdefs.ErrFailedPrecondition)
	}
	if err != nil {
		return nil, err
	}
	pid, err := t.Init.Start(ctx)
	if err != nil {
		return nil, fmt.Errorf("start sandbox %s: %w", r.SandboxID, err)
	}
	return &api.StartSandboxResponse{Pid: pid, CreatedAt: timestamppb.New(p.created)}, nil
}

// StopSandbox ends the pod. Its workloads are asked to end and have the time that the request gives; what still runs
// then is killed. It returns when all have ended, and may be called again.
func (s *Service) StopSandbox(ctx context.Context, r *api.StopSandboxRequest) (*api.StopSandboxResponse, error) {
	p, t, err := s.sandbox(r.SandboxID)
	if err != nil {
		return nil, err
	}
	if err := s.stopPod(ctx, p, t, time.Duration(r.TimeoutSecs)*time.Second); err != nil {
		return nil, fmt.Errorf("stop sandbox %s: %w", r.SandboxID, err)
	}
	return &api.StopSandboxResponse{}, nil
}

// ShutdownSandbox ends the pod at once, forgets it and ends the shim. It does so as well where there is nothing to
// forget: containerd asks for it after a CreateSandbox that has failed.
func (s *Service) ShutdownSandbox(ctx context.Context, r *api.ShutdownSandboxRequest) (*api.ShutdownSandboxResponse, error) {
	p, t, err := s.sandbox(r.SandboxID)
	if err != nil && s.leave(r.SandboxID) {
		return &api.ShutdownSandboxResponse{}, nil
	}
	if err != nil {
		return nil, err
	}
	if err := s.stopPod(ctx, p, t, 0); err != nil {
		return nil, fmt.Errorf("shut down sandbox %s: %w", r.SandboxID, err)
	}
	var errs []error
	for _, t := range append(s.workloads(p), t) {
		if _, err := s.remove(ctx, t, ""); err != nil && !errdefs.IsNotFound(err) {
			errs = append(errs, err) // what is left of it is for `delete`
		}
	}
	s.leave(r.SandboxID) // or else the last one that is being made does
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("shut down sandbox %s: %w", r.SandboxID, err)
	}
	return &api.ShutdownSandboxResponse{}, nil
}

// UpdateSandbox is not implemented: a pod has no limits of its own on Windows. Containerd puts up with that.
func (s *Service) UpdateSandbox(context.Context, *api.UpdateSandboxRequest) (*api.UpdateSandboxResponse, error) {
	return nil, fmt.Errorf("update of a sandbox: %w", errdefs.ErrNotImplemented)
}
