// Package container says what a container is to those who run one: containerd's shim and silo.
//
// Package engine makes the two kinds: job containers (Kubernetes calls them HostProcess) in package hostprocess, and
// Windows Server containers in package wcow. Both are planned by package plan.
package container

import (
	"context"
	"fmt"
	"time"

	"github.com/containerd/errdefs"
	"github.com/containerd/log"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/internal/logfield"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/stats"
)

// Container is one container. All methods are safe for concurrent use; those that a kind cannot do return
// [ErrUnsupported].
type Container interface {
	// Process prepares a process that does not run yet. The streams stay the caller's.
	Process(p *plan.Process, s Streams) Process
	// Processes lists every process inside, also those that it did not start. There is none before the first start and after
	// the end. It returns with ctx at the latest, as Stats does; both fail at once while an earlier call of either hangs.
	Processes(ctx context.Context) ([]stats.Process, error)
	// Stats samples the container; started is when its init did, or zero. The sample is not older than the call.
	Stats(ctx context.Context, started time.Time) (stats.Sample, error)

	// Update changes the limits that are named and leaves the others alone. After an error all are what they were, as far
	// as the kind can tell. ctx ends the wait for another update.
	Update(ctx context.Context, r *specs.WindowsResources, annotations map[string]string) error
	// Status is what a person may want to know beside statistics.
	Status() Status
	// Watch has every notice reported, one after the other, until the container is closed. It is called once, before the
	// first process is started. A process's notices are reported before its Wait returns, unless the kernel is late.
	Watch(report func(Notice))

	// Pause stops every process, and those that come later, and returns when none runs, or with ctx. After a failure all
	// of them run.
	Pause(ctx context.Context) error
	// Resume lets every process go on.
	Resume(ctx context.Context) error
	// Stop sends a signal other than SIGKILL to every process and returns when none is left, or with ctx. None starts from
	// then on. It fails if it could not send it to one of them; that some have not ended is no error.
	Stop(ctx context.Context, sig uint32) error
	// Terminate ends every process and returns when none is left, or with ctx. What it ends reports status as its exit
	// status. It may be called again.
	Terminate(ctx context.Context, status uint32) error
	// TerminateProcesses ends every process as Terminate does. Another may be started afterwards.
	TerminateProcesses(ctx context.Context, status uint32) error
	// TerminateTimeout is how long Terminate and Close may take. To stop waiting earlier could take the layers away from
	// under a container that still writes to them.
	TerminateTimeout() time.Duration
	// Close gives back what the container has of the machine; what is left of it ends. It may be called again for the rest.
	Close() error
}

// ErrUnsupported says that this kind of container cannot do that.
var ErrUnsupported = fmt.Errorf("this kind of container does not support it: %w", errdefs.ErrNotImplemented)

// Status is what a person may want to know of a container beside its statistics. Nil is unknown.
type Status struct {
	Limits     map[string]any    // in force
	Violations map[string]uint64 // how often each kind of limit was reached
}

// Notice is a message of the kernel about the processes of a container. The kernel may drop one.
type Notice struct {
	Kind  jobobject.MessageKind
	Limit Limit
	Pid   uint32 // 0 if the notice is not about one process
}

// Limit is the kind of limit that a process has met.
type Limit uint8

// The kinds.
const (
	NoLimit     Limit = iota // the notice is not about a limit, or about a threshold that stops nothing
	MemoryLimit              // the kernel has refused memory
	OtherLimit               // the kernel has ended the process
)

// BusyAfter is how long a Stats or Processes may take before those behind it fail: containerd waits for all tasks of a
// node.
const BusyAfter = 100 * time.Millisecond

// CallTimeout is how long a request about one process waits for the system.
const CallTimeout = 10 * time.Second

// LogWarnings logs what was asked for and is not done.
func LogWarnings(id string, warnings []string) {
	for _, warning := range warnings {
		log.L.WithField(logfield.ContainerID, id).Warn(warning)
	}
}
