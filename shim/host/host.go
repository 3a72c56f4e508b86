package host

import (
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/shim"
	"github.com/siloshim/siloshim/shim/spec"
)

// Host makes containers with a kernel. It is safe for concurrent use.
type Host struct {
	// Kernel is the system's when nil.
	Kernel jobobject.Kernel
}

var _ shim.Host = Host{}

// Job makes an empty job container named after namespace and id.
func (h Host) Job(namespace, id string, plan *spec.Job) (shim.Container, error) {
	return newJob(h.Kernel, namespace, id, plan)
}
