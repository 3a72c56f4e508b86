package host

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/schema"
	"github.com/siloshim/siloshim/shim"
	"github.com/siloshim/siloshim/shim/spec"
	"github.com/siloshim/siloshim/shim/stdio"
	"github.com/siloshim/siloshim/shim/task"
	"github.com/siloshim/siloshim/stats"
)

// Server is a Windows Server container. All methods are safe for concurrent use.
type Server struct {
	// Immutable after Host.Server.
	host   Host
	id     string
	bundle string
	plan   *spec.Server
	system *hcs.System

	statistics *stats.System // nil before the system is created

	// updating is held over an update, the service's answers included: two must not mix. It guards the field below.
	updating  semaphore
	requested spec.Requested // by the specification and the updates so far

	// closing lets one Close at a time work, and guards the fields below.
	closing sync.Mutex
	undo    undo
	layers  undo // which cannot go before the system

	// mu guards the fields below.
	mu      sync.Mutex
	started bool   // the service was asked to start it
	killed  bool   // init was ended without appeal, so nothing inside is asked to end
	ended   bool   // its processes are being ended
	status  uint32 // what the ended report
}

var (
	_ shim.Container = (*Server)(nil)
	_ shim.Updater   = (*Server)(nil)
)

// Server makes a Windows Server container that does not run yet. The order is the one in which the parts need each
// other: layers, network, credentials, the compute system, its processors. They are given back in reverse.
func (h Host) Server(ctx context.Context, id, bundle string, plan *spec.Server) (shim.Container, error) {
	warn(id, plan.Warnings)
	if err := inheritEvents(); err != nil {
		return nil, classify(err)
	}
	h = h.withDefaults()
	s := &Server{host: h, id: id, bundle: bundle, plan: plan, requested: plan.Requested, updating: newSemaphore()}
	if err := s.make(ctx); err != nil {
		return nil, errors.Join(classify(err), s.giveBack())
	}
	return s, nil
}

// make makes everything. What it has made is in s.undo when it fails.
func (s *Server) make(ctx context.Context) error {
	document := s.plan.Document
	container := *document.Container
	document.Container = &container

	l := &ledger{Layers: &s.plan.Layers, Credentials: s.plan.CredentialSpec != ""}
	if s.plan.OwnNamespace {
		l.Namespace, l.Endpoints = newGUID(), s.plan.Endpoints
	}
	if err := l.write(s.bundle); err != nil {
		return err
	}
	s.undo.push("unmount the layers", s.unmount)
	mounted, err := mountLayers(ctx, s.host.Storage, s.id, s.plan.Layers, &s.layers)
	if err != nil {
		return err
	}
	mounted.QoS = container.Storage.QoS
	container.Storage = mounted
	if l.Namespace != "" {
		if err := makeNamespace(s.host.Network, l.Namespace, s.plan, &s.undo); err != nil {
			return err
		}
		networking := *container.Networking
		networking.Namespace = l.Namespace
		container.Networking = &networking
	}
	if l.Credentials {
		container.ContainerCredentialGuard, err = addCredentials(ctx, s.host.Service, s.id, s.plan.CredentialSpec, &s.undo)
		if err != nil {
			return err
		}
	}
	return s.create(ctx, &document)
}

// create makes the compute system.
func (s *Server) create(ctx context.Context, document *schema.ComputeSystem) error {
	system, err := s.host.Service.Create(ctx, s.id, document)
	if err != nil {
		return err
	}
	s.system, s.statistics = system, newStatistics(s.host, s.id, system)
	s.undo.push("end system "+s.id, s.end)
	return s.pin(s.plan.Affinity)
}

// pin binds the silo to its processors; the service has no word for that.
func (s *Server) pin(affinity []spec.Affinity) error {
	if len(affinity) == 0 {
		return nil
	}
	job, err := jobobject.Open(stats.SiloName(s.id), jobobject.AccessSetAttributes, s.host.Kernel)
	if err != nil {
		return fmt.Errorf("windows.resources.cpu.affinity: %w", err)
	}
	set := job.SetAffinity(jobAffinity(affinity))
	if err := errors.Join(set, job.Close()); err != nil {
		return fmt.Errorf("windows.resources.cpu.affinity: %w", err)
	}
	return nil
}

// Program prepares a program that will start inside.
func (s *Server) Program(p *spec.Process, streams *stdio.Relay) task.Program {
	return &serverProgram{server: s, spec: p, streams: streams, init: p == &s.plan.Process}
}

// start starts the compute system, for init.
func (s *Server) start(ctx context.Context) error {
	s.mu.Lock()
	s.started = true
	s.mu.Unlock()
	return s.system.Start(ctx)
}

// Update changes the limits that are named and leaves the others alone. After an error those before the one that it
// names are in force; the same request again asks for all of them. ctx ends the wait for another update.
func (s *Server) Update(ctx context.Context, r *specs.WindowsResources, annotations map[string]string) error {
	if err := s.updating.acquire(ctx); err != nil {
		return err
	}
	defer s.updating.release()
	next, err := s.plan.Update(s.requested, r, annotations)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for _, request := range next.Requests {
		if err := s.system.Modify(ctx, request); err != nil {
			return classify(fmt.Errorf("update %s: %w", request.ResourcePath, err))
		}
	}
	if err := s.pin(next.Affinity); err != nil {
		return classify(err)
	}
	s.requested = next.Requested
	warn(s.id, next.Warnings)
	return nil
}

// Bounds are those of a container whose end the service may take long over. It bounds that itself; to stop waiting
// for it early would take the layers away from under a container that still writes to them.
func (s *Server) Bounds() task.Bounds {
	b := task.DefaultBounds
	b.Terminate = teardown
	return b
}

// teardown is a little more than the service's own bound, so that its reason is the one that is told.
const teardown = 11 * time.Minute
