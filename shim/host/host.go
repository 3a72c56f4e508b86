package host

import (
	"context"

	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/shim"
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
	// Files shows the files of job containers, and Accounts are whom they run as. Each is the system's when nil.
	Files    Files
	Accounts Accounts
	// Suspend stops every thread of a process and returns what undoes it and must be called once. It is the
	// system's when nil, and is needed where the kernel cannot freeze a job.
	Suspend func(pid uint32) (resume func() error, err error)
}

var _ shim.Host = Host{}

// Job makes a job container named after namespace and id, with no program in it.
func (h Host) Job(ctx context.Context, namespace, id, bundle string, planned *plan.HostProcess) (shim.Container, error) {
	if err := inheritEvents(); err != nil {
		return nil, classify(err)
	}
	return newJob(ctx, h.withDefaults(), namespace, id, bundle, planned)
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
	if h.Files == nil {
		h.Files = windowsFiles{}
	}
	if h.Accounts == nil {
		h.Accounts = windowsAccounts{}
	}
	return h
}
