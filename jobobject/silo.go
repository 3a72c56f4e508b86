package jobobject

import (
	"errors"
	"fmt"
)

// Silo describes a job that is a silo. Its members have another view of some names
// of the machine, such as paths.
type Silo struct {
	ID, ParentID uint32
	Processes    uint32
	InServerSilo bool // a Windows Server container, or in one
}

// ServerSilo describes the silo of a Windows Server container.
type ServerSilo struct {
	SessionID  uint32 // of its services
	State      ServerSiloState
	ExitStatus uint32 // an NTSTATUS
}

// ServerSiloState is SERVERSILO_STATE of winnt.h.
type ServerSiloState uint32

const (
	SiloInitializing ServerSiloState = iota // the Host Compute Service is setting it up
	SiloStarted
	SiloShuttingDown
	SiloTerminating
	SiloEnded // SERVERSILO_TERMINATED
)

// Mapping shows a directory, a file or a volume to the members of a silo under
// another path.
type Mapping struct {
	Root     string // the path that members see; its parent must exist
	Target   string // what is behind it: a host path, or \\?\Volume{GUID}\
	ReadOnly bool
	Merged   bool // show what is at Root already besides
}

// PromoteToSilo makes the job a silo. The job must not have had a
// process yet, and must have KillOnClose, which every silo needs. A job never stops being a silo.
func (j *Job) PromoteToSilo() error {
	return j.handle.do("promote job to silo", func(k Kernel, h Handle) error {
		if l, known := j.known(); known && !l.KillOnClose {
			return errors.New("KillOnClose is off, want it on")
		}
		return k.CreateSilo(h)
	})
}

// Silo describes the job as a silo. A job that is none is [ErrNotSilo]; a kernel
// without silos returns [ErrNotSupported].
func (j *Job) Silo() (Silo, error) {
	return lend(j.handle, "query silo of job", Kernel.Silo)
}

// ServerSilo describes the job as the silo of a Windows Server container. A job
// that is none is [ErrNotSilo].
func (j *Job) ServerSilo() (ServerSilo, error) {
	return lend(j.handle, "query server silo of job", Kernel.ServerSilo)
}

// Bind adds m to what the members see, through the bind filter of Windows. Only
// members see it. It ends with the silo, or with [Job.Unbind]. A job that is no
// silo is [ErrNotSilo]: the filter must never bind for the whole machine. Windows
// before Server 2022 does not have the filter and returns [ErrNotSupported].
//
// The function is BfSetupFilter of bindfltapi.dll, which has no page on
// Microsoft Learn.
func (j *Job) Bind(m Mapping) error {
	return j.mapping("bind path in silo", m.Root, func(k Kernel, h Handle) error {
		if m.Target == "" {
			return errors.New("field Target is empty")
		}
		if err := checkText("Target", m.Target); err != nil {
			return err
		}
		return k.Bind(h, &m)
	})
}

// Unbind removes the mapping at root, which [Job.Bind] has made.
func (j *Job) Unbind(root string) error {
	return j.mapping("unbind path in silo", root, func(k Kernel, h Handle) error { return k.Unbind(h, root) })
}

func (j *Job) mapping(op, root string, change func(Kernel, Handle) error) error {
	return j.handle.do(op, func(k Kernel, h Handle) error {
		if root == "" {
			return errors.New("field Root is empty")
		}
		if err := checkText("Root", root); err != nil {
			return err
		}
		if _, err := k.Silo(h); err != nil {
			return fmt.Errorf("query silo: %w", err)
		}
		return change(k, h)
	})
}
