package dashboard

import (
	"context"
	"time"

	"github.com/siloshim/siloshim/stats"
)

// Source reports the containers of a machine. Each method must bound the time that it takes.
type Source interface {
	// Look samples every container. What it returns beside an error is shown with the error.
	Look(ctx context.Context) (Look, error)
	// Details reports what only the page of one container shows, while such a page is open. It is safe for concurrent use.
	Details(ctx context.Context, namespace, id string) Details
}

// Look is all containers at one time.
type Look struct {
	Time       time.Time
	Processors int // of the machine
	Containers []Container
}

// Container is one container of a [Look].
type Container struct {
	Namespace, ID, Kind string
	Pod                 string // namespace and name; empty if it has none, or that is unknown
	PodUID              string
	PodContainer        string // the container's name in the pod; empty for the sandbox
	Program             string // the path of the image, if known
	Status              string // of its record, such as restarting; empty without one
	Restarts            int
	LastExit            *Exit // of the start before, by a restart policy
	Exit                *Exit // nil while it runs
	Sample              stats.Sample
	Processes           []stats.Process
	Err                 error // why it could not be sampled; the sample is empty then
}

// Name is namespace and id.
func (c *Container) Name() string { return c.Namespace + "/" + c.ID }

// Exit is how a container has ended.
type Exit struct {
	Code    uint32
	Reason  string
	Meaning string // of the code, if known
	At      time.Time
}

// Details are what only the page of one container shows.
type Details struct {
	Limits    []Limit
	LimitsErr error // why the kernel did not report them
	Warnings  []string
	LogPath   string // empty if silo writes no log of it
	Log       []byte // the end of the log
	LogErr    error
}

// Limit is a limit in force.
type Limit struct{ Name, Value string }

// LogTail is how many bytes of a log are shown at most.
const LogTail = 16 << 10
