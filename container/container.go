// Package container defines the interface of containers, which containerd's shim and silo use.
//
// Package engine makes the two kinds: job containers (HostProcess containers of Kubernetes) in package hostprocess, and
// Windows Server containers in package wcow. Package plan plans both.
package container

import (
	"context"
	"fmt"
	"time"

	"github.com/containerd/errdefs"
	"github.com/containerd/log"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/siloshim/siloshim/container/plan"
	"github.com/siloshim/siloshim/container/podinfo"
	"github.com/siloshim/siloshim/container/resource"
	"github.com/siloshim/siloshim/internal/logfield"
	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/stats"
)

// Container is one container. All methods are safe for concurrent use. A method that a kind does not support returns
// [ErrUnsupported].
type Container interface {
	// Process prepares a process and does not start it. The caller closes the streams.
	Process(p *plan.Process, s Streams) Process
	// Processes lists all processes in the container, including their descendants. It is empty before the first start and
	// after the last exit. Processes and Stats return when ctx ends at the latest. Both fail after [BusyAfter] while
	// another call of either hangs.
	Processes(ctx context.Context) ([]stats.Process, error)
	// Stats samples the container. started is when the init process started, or zero. The sample is taken during the
	// call.
	Stats(ctx context.Context, started time.Time) (stats.Sample, error)

	// Update changes the limits that r and the annotations name. After an error it restores the limits, as far as the
	// kind of container can. ctx ends the wait for another update.
	Update(ctx context.Context, r *specs.WindowsResources, annotations map[string]string) error
	// Status returns the limits and how often they were reached.
	Status() Status
	// Watch has every notice reported, one after the other, until the container is closed. It is called once, before the
	// first process is started. A process's notices are reported before its Wait returns, unless the kernel is late.
	Watch(report func(Notice))

	// Pause suspends all processes, and those that start later. It returns when all are suspended. After an error, or
	// when ctx ends, all of them run.
	Pause(ctx context.Context) error
	// Resume resumes all processes.
	Resume(ctx context.Context) error
	// Stop sends a signal other than SIGKILL to all processes and returns when none is left or ctx ends. From then on no
	// process can start. It returns an error if a process could not be signalled, but not if one has not exited.
	Stop(ctx context.Context, sig uint32) error
	// Terminate ends all processes and returns when none is left or ctx ends. Their exit status is status. It may be
	// called again.
	Terminate(ctx context.Context, status uint32) error
	// TerminateProcesses ends every process as Terminate does. Another may be started afterwards.
	TerminateProcesses(ctx context.Context, status uint32) error
	// TerminateTimeout is how long Terminate and Close may take. To stop waiting earlier could take the layers away from
	// under a container that still writes to them.
	TerminateTimeout() time.Duration
	// Close ends what still runs and releases the resources of the container. After an error it may be called again.
	Close() error
}

// ErrUnsupported is returned by methods that a kind of container does not support.
var ErrUnsupported = fmt.Errorf("this kind of container does not support it: %w", errdefs.ErrNotImplemented)

// Status describes a container beside its statistics. A nil map is unknown.
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

// BusyAfter is how long a call of Stats or Processes may take before calls behind it fail. Containerd waits for all tasks
// of a node. A shorter time than this is reached on a busy machine without a call that hangs.
const BusyAfter = 2 * time.Second

// CallTimeout is the timeout of a call about one process.
const CallTimeout = 10 * time.Second

// LogWarnings logs the warnings of a plan.
func LogWarnings(id string, warnings []string) {
	for _, warning := range warnings {
		log.L.WithField(logfield.ContainerID, id).Warn(warning)
	}
}

// PublishPod publishes the pod of the container id until the record is closed. A container without a pod has nothing to
// publish, and one whose pod cannot be published runs without it.
func PublishPod(to podinfo.Store, r *resource.Record, id, key string, p podinfo.Pod) {
	if p.Name == "" {
		return
	}
	published, err := to.Publish(key, p)
	if err == nil {
		err = r.Add(resource.Resource{Kind: resource.PodInfo}, func(context.Context) error { return published.Close() })
	}
	if err != nil {
		log.L.WithField(logfield.ContainerID, id).WithError(err).Warn("silo shows the container without its pod")
	}
}
