// Package wcow makes Windows Server containers: compute systems of the Host Compute Service with mounted layers, a
// network namespace, and the credentials of a group managed service account.
package wcow

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/Microsoft/go-winio/pkg/guid"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/container"
	"github.com/siloshim/siloshim/container/errclass"
	"github.com/siloshim/siloshim/container/layer"
	"github.com/siloshim/siloshim/container/network"
	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/container/podinfo"
	"github.com/siloshim/siloshim/container/resource"
	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/internal/deadline"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/schema"
	"github.com/siloshim/siloshim/stats"
)

// Config is the configuration of a container.
type Config struct {
	ID, Bundle string
	Plan       *plan.WCOW
	Pods       podinfo.Store // gets the pod of the plan

	Kernel   jobobject.Kernel // nil is that of this machine
	Service  *hcs.Client
	Storage  layer.Storage
	Network  network.Namespaces
	Releases resource.Table
}

// Container is a Windows Server container. All methods are safe for concurrent use.
type Container struct {
	// Immutable after New.
	config Config
	id     string
	plan   *plan.WCOW
	record *resource.Record
	system *hcs.System

	statistics *stats.System // nil before the system is created

	// updating is held during an update, including the calls to the service. It guards the field below.
	updating  deadline.Mutex
	requested plan.Requested // by the specification and the updates so far

	// mu guards the fields below.
	mu        sync.Mutex
	processes map[*process]bool // those that are open; true for one that had exited when Terminate was called
	started   bool              // the system was started, or its start failed
	killed    bool              // the init process was killed, so the system is not shut down in order
	ended     bool              // Terminate was called
	status    uint32            // the exit status of processes that Terminate ended
}

var _ container.Container = (*Container)(nil)

// New makes a Windows Server container that does not run yet: layers, network, credentials, the compute system, and its
// processors, because each needs those before it. It records the resources in the bundle before it makes them. If it
// fails it releases them.
func New(ctx context.Context, c Config) (*Container, error) {
	container.LogWarnings(c.ID, c.Plan.Warnings)
	s := &Container{
		config: c, id: c.ID, plan: c.Plan, record: resource.New(c.Bundle, c.Releases),
		requested: c.Plan.Requested, updating: deadline.NewMutex(), processes: map[*process]bool{},
	}
	container.PublishPod(c.Pods, s.record, c.ID, c.ID, c.Plan.Pod)
	if err := s.make(ctx); err != nil {
		return nil, errors.Join(errclass.Add(err), s.record.Close(context.WithoutCancel(ctx)))
	}
	return s, nil
}

// make makes everything. If it fails, the record has what was made.
func (s *Container) make(ctx context.Context) error {
	document := s.plan.Document
	inside := *document.Container
	document.Container = &inside

	namespace := ""
	if s.plan.OwnNamespace {
		id, err := guid.NewV4()
		if err != nil {
			return err
		}
		namespace = id.String()
	}
	if err := s.reserve(namespace); err != nil {
		return err
	}
	mounted, err := layer.Mount(ctx, s.config.Storage, s.id, s.plan.Layers, s.record)
	if err != nil {
		return err
	}
	mounted.QoS = inside.Storage.QoS
	inside.Storage = mounted
	if namespace != "" {
		if err := network.Make(s.config.Network, namespace, s.plan.Endpoints, s.record); err != nil {
			return err
		}
		networking := *inside.Networking
		networking.Namespace = namespace
		inside.Networking = &networking
	}
	if s.plan.CredentialSpec != "" {
		inside.ContainerCredentialGuard, err = addCredentials(ctx, s.config.Service, s.id, s.plan.CredentialSpec, s.record)
		if err != nil {
			return err
		}
	}
	return s.create(ctx, &document)
}

// reserve records the resources of the container.
func (s *Container) reserve(namespace string) error {
	list := layer.Resources(s.id, s.plan.Layers)
	if namespace != "" {
		list = append(list, network.Resources(namespace, s.plan.Endpoints)...)
	}
	if s.plan.CredentialSpec != "" {
		list = append(list, resource.Resource{Kind: resource.Credentials, Name: s.id})
	}
	return s.record.Reserve(append(list, resource.Resource{Kind: resource.System, Name: s.id})...)
}

// create makes the compute system.
func (s *Container) create(ctx context.Context, document *schema.ComputeSystem) error {
	system, err := s.config.Service.Create(ctx, s.id, document)
	if err != nil {
		return err
	}
	s.system, s.statistics = system, newStatistics(s.config.Kernel, s.id, system)
	if err := s.record.Add(resource.Resource{Kind: resource.System, Name: s.id}, s.end); err != nil {
		return errors.Join(err, s.end(ctx))
	}
	return s.pin(ctx, s.plan.Affinity)
}

// pin sets the processors of the silo's job. The documents of the service have no field for them.
func (s *Container) pin(ctx context.Context, affinity []jobobject.GroupAffinity) error {
	if len(affinity) == 0 {
		return nil
	}
	job, err := jobobject.Open(stats.SiloName(s.id), jobobject.OpenOptions{Access: jobobject.AccessSetAttributes, Kernel: s.config.Kernel})
	if err != nil {
		return fmt.Errorf("windows.resources.cpu.affinity: %w", err)
	}
	set := job.SetAffinity(ctx, affinity)
	if err := errors.Join(set, job.Close()); err != nil {
		return fmt.Errorf("windows.resources.cpu.affinity: %w", err)
	}
	return nil
}

// Process implements [container.Container].
func (s *Container) Process(p *plan.Process, streams container.Streams) container.Process {
	return &process{container: s, plan: p, streams: streams, init: p == &s.plan.Process}
}

// start starts the compute system, before the init process.
func (s *Container) start(ctx context.Context) error {
	s.mu.Lock()
	s.started = true
	s.mu.Unlock()
	return s.system.Start(ctx)
}

// Update implements [container.Container]. After an error the limits before the one that the error names are in force.
// The same request again sets all of them.
func (s *Container) Update(ctx context.Context, r *specs.WindowsResources, annotations map[string]string) error {
	if err := s.updating.Lock(ctx); err != nil {
		return err
	}
	defer s.updating.Unlock()
	next, err := s.plan.Update(s.requested, r, annotations)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), container.CallTimeout)
	defer cancel()
	for _, request := range next.Requests {
		if err := s.system.Modify(ctx, request); err != nil {
			return errclass.Add(fmt.Errorf("update %s: %w", request.ResourcePath, err))
		}
	}
	if err := s.pin(ctx, next.Affinity); err != nil {
		return errclass.Add(err)
	}
	s.requested = next.Requested
	container.LogWarnings(s.id, next.Warnings)
	return nil
}

// Pause implements [container.Container]: the service cannot pause Windows Server containers.
func (s *Container) Pause(context.Context) error { return container.ErrUnsupported }

// Resume implements [container.Container].
func (s *Container) Resume(context.Context) error { return container.ErrUnsupported }

// Stop implements [container.Container]: the service signals only processes that it started. Terminate shuts the system
// down in order.
func (s *Container) Stop(context.Context, uint32) error { return container.ErrUnsupported }

// TerminateProcesses implements [container.Container]: the container does not outlive its processes.
func (s *Container) TerminateProcesses(context.Context, uint32) error {
	return container.ErrUnsupported
}

// Watch implements [container.Container]. The service reports no limits.
func (s *Container) Watch(func(container.Notice)) {}

// Status implements [container.Container]. The service does not return the limits in force.
func (s *Container) Status() container.Status { return container.Status{} }

// TerminateTimeout implements [container.Container].
func (s *Container) TerminateTimeout() time.Duration { return teardown }

// teardown is slightly longer than the timeout of the service, whose error is more specific.
const teardown = 11 * time.Minute
