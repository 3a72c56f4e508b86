package host

import (
	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/shim"
	"github.com/siloshim/siloshim/shim/spec"
)

// Host makes containers with a kernel. It is safe for concurrent use.
type Host struct {
	// Kernel is the system's when nil.
	Kernel jobobject.Kernel
	// Service makes and runs Windows Server containers; Storage mounts their layers and Network makes their network
	// namespaces. Each is the system's when nil.
	Service *hcs.Client
	Storage Storage
	Network Network
	// Suspend stops every thread of a process and returns what undoes it and must be called once. It is the
	// system's when nil, and is needed where the kernel cannot freeze a job.
	Suspend func(pid uint32) (resume func() error, err error)
}

var _ shim.Host = Host{}

// Job makes an empty job container named after namespace and id.
func (h Host) Job(namespace, id string, plan *spec.Job) (shim.Container, error) {
	if err := inheritEvents(); err != nil {
		return nil, classify(err)
	}
	return newJob(h, namespace, id, plan)
}

func (h Host) withDefaults() Host {
	if h.Service == nil {
		h.Service = new(hcs.Client)
	}
	if h.Storage == nil {
		h.Storage = windowsStorage{}
	}
	if h.Network == nil {
		h.Network = windowsNetwork{}
	}
	return h
}
