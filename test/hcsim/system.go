package main

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/schema"
)

// system is a container. Its processes are in a job.
type system struct {
	// Immutable.
	id       string
	document schema.ComputeSystem
	job      *jobobject.Job
	created  time.Time

	// Guarded by world.
	state     schema.SystemState
	processes []*process
	exit      *event
}

// The types of a system's exit.
const (
	exitGraceful = schema.ExitGraceful
	exitForced   = schema.ExitForced
)

// sealed makes jobs that no other process can open.
var sealed = os.Getenv("HCSIM") == "sealed"

// createSystem creates the system of a document. The handle is valid before the operation is complete.
func createSystem(op uintptr, id, document string) (uintptr, error) {
	s := &system{id: id, state: schema.StateCreated, created: time.Now()}
	if err := schema.Unmarshal([]byte(document), &s.document); err != nil || s.document.Container == nil {
		return 0, hcs.CodeInvalidJSON
	}
	if c := s.document.Container; c.Storage == nil || c.Storage.Path == "" || len(c.Storage.Layers) == 0 {
		return 0, hcs.CodeInvalidLayer
	}
	if p := s.document.Container.Processor; p != nil && !oneOf(int64(p.Count), p.Maximum, p.Weight) {
		return 0, hcs.CodeInvalidJSON
	}
	world.Lock()
	defer world.Unlock()
	if world.systems[id] != nil {
		return 0, hcs.CodeSystemAlreadyExists
	}
	o := jobobject.Options{Name: `\Container_` + id, KillOnClose: true, TrackIO: true}
	if sealed {
		o.Name = ""
	}
	var err error
	if s.job, err = jobobject.Create(o); err != nil {
		return 0, codeOf(err)
	}
	if err := s.limit(); err != nil {
		return 0, codeOf(errors.Join(err, s.job.Close()))
	}
	world.systems[id] = s
	return openLocked(s, nil), completeLocked(op)
}

// limit sets the limits of the document that this kernel supports. A process that opens the job must not change them.
func (s *system) limit() error {
	limits := s.job.Limits()
	if m := s.document.Container.Memory; m != nil {
		limits.JobMemory = m.SizeInMB << 20
	}
	if err := s.job.SetLimits(context.Background(), limits); err != nil {
		return err
	}
	if p := s.document.Container.Processor; p != nil {
		limits.CPURate, limits.CPUWeight = uint32(p.Maximum), jobobject.WeightOfShares(uint32(p.Weight))
	}
	if err := s.job.SetLimits(context.Background(), limits); !errors.Is(err, jobobject.ErrNotSupported) {
		return err
	}
	return nil
}

// oneOf reports whether at most one of the numbers is set.
func oneOf(numbers ...int64) bool {
	set := 0
	for _, n := range numbers {
		if n != 0 {
			set++
		}
	}
	return set <= 1
}

// completeLocked completes an operation that has nothing left to do.
func completeLocked(op uintptr) error {
	o := world.operations[op]
	if o == nil {
		return hcs.CodeWin32InvalidHandle
	}
	go close(o.done)
	return nil
}

func openSystem(id string) (uintptr, error) {
	world.Lock()
	defer world.Unlock()
	if s := world.systems[id]; s != nil {
		return openLocked(s, nil), nil
	}
	return 0, hcs.CodeSystemNotFound
}

// start permits new processes.
func (s *system) start() error {
	world.Lock()
	defer world.Unlock()
	switch s.state {
	case schema.StateCreated:
		s.state = schema.StateRunning
		return nil
	case schema.StateStopped:
		return hcs.CodeSystemAlreadyStopped
	}
	return hcs.CodeInvalidState
}

// stop ends every process and then the system, and announces the exit.
func (s *system) stop(how schema.ExitType) error {
	world.Lock()
	over := s.state == schema.StateStopped
	s.state = schema.StateStopped
	world.Unlock()
	if over {
		return hcs.CodeSystemAlreadyStopped
	}
	if err := s.job.Terminate(1); err != nil {
		return err
	}
	if err := s.job.WaitEmpty(context.Background()); err != nil {
		return err
	}
	world.Lock()
	processes := s.processes
	world.Unlock()
	for _, p := range processes {
		<-p.ended
	}
	if err := s.job.Close(); err != nil { // this frees its name
		return err
	}
	world.Lock()
	defer world.Unlock()
	if world.systems[s.id] == s {
		delete(world.systems, s.id)
	}
	s.exit = &event{hcs.EventSystemExited, encode(schema.SystemExitStatus{ExitType: how})}
	announceLocked(s, nil, *s.exit)
	return nil
}

// modify applies what the job supports, and writes the rest to the log.
func (s *system) modify(document string) error {
	var r schema.ModifySettingRequest
	if schema.Unmarshal([]byte(document), &r) != nil || r.ResourcePath == "" {
		return hcs.CodeInvalidJSON
	}
	limits := s.job.Limits()
	switch r.ResourcePath {
	case schema.PathMemory:
		var size uint64
		if schema.Unmarshal(r.Settings, &size) != nil {
			return hcs.CodeInvalidJSON
		}
		limits.JobMemory = size << 20
	case schema.PathProcessor:
		var p schema.Processor
		if schema.Unmarshal(r.Settings, &p) != nil {
			return hcs.CodeInvalidJSON
		}
		limits.CPURate, limits.CPUWeight = uint32(p.Maximum), 0
	case schema.PathMappedDirectories, schema.PathMappedPipes, schema.PathDevices, schema.PathRegistryFlushState:
		return nil
	default:
		return hcs.CodeWin32InvalidArgument
	}
	return s.job.SetLimits(context.Background(), limits)
}
