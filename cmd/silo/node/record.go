package node

import (
	"errors"
	"time"

	"github.com/siloshim/siloshim/stats"
)

// recordVersion is the newest version of a record that this package reads, and the one that it writes.
const recordVersion = 1

// Record is what silo run and silo attach store of a container. It has no arguments and no environment.
type Record struct {
	Version    int          `json:"version"` // 0 in releases before there was one
	Kind       Kind         `json:"kind"`
	ID         string       `json:"id"`
	System     string       `json:"system,omitempty"`  // of a Windows Server container, its id at the Host Compute Service
	Supervisor uint32       `json:"supervisor_pid"`    // the silo process that holds the job
	Program    string       `json:"program,omitempty"` // the path of the image
	Pid        uint32       `json:"pid,omitempty"`     // the program's, at its latest start
	Started    time.Time    `json:"started"`
	Restarts   int          `json:"restarts"`
	Log        string       `json:"log,omitempty"`       // the file of its output
	LogStart   *LogPosition `json:"log_start,omitempty"` // where the output of this run begins in the log
	Warnings   []string     `json:"warnings,omitempty"`
	Signals    []string     `json:"stop_signals,omitempty"`
	GraceNS    int64        `json:"stop_grace_ns,omitempty"`
	Status     Status       `json:"status,omitempty"`
	LastExit   *Exit        `json:"last_exit,omitempty"` // of the start before the latest one, by a restart policy
	Exit       *Exit        `json:"exit,omitempty"`      // nil until it has ended
	Metrics    string       `json:"metrics,omitempty"`   // the URL at which the supervisor itself exports it

	// SupervisorCreated tells the supervisor from a later process with its pid. [Records.Write] fills it in.
	SupervisorCreated time.Time `json:"supervisor_created,omitzero"`

	// Violations are those that the supervisor has counted; nil before the job's first message.
	Violations *stats.Violations `json:"violations,omitempty"`
	// OutputErrors has the destinations of the output that have failed.
	OutputErrors []OutputError `json:"output_errors,omitempty"`
}

// LogPosition is a place in a log: an offset in the file with a number, which its name has after a rotation.
type LogPosition struct {
	File   int   `json:"file"`
	Offset int64 `json:"offset"`
}

// OutputError is what went wrong with one destination of the output.
type OutputError struct {
	Target    string    `json:"target"` // log, stdout or stderr
	Error     string    `json:"error"`
	LostBytes uint64    `json:"lost_bytes"`
	Since     time.Time `json:"since"`
	Failing   bool      `json:"failing"` // it has not taken output again
}

// Status is the state of a container.
type Status string

// The states. A record has one of the first four, and of an earlier release none.
const (
	Starting   Status = "starting"
	Running    Status = "running"
	Restarting Status = "restarting" // it has ended, and the policy starts it again after a pause
	Ended      Status = "exited"
	Lost       Status = "lost"    // its supervisor has ended without recording an exit
	Unknown    Status = "unknown" // its record cannot be read
)

// Statuses are all states.
var Statuses = []Status{Starting, Running, Restarting, Ended, Lost, Unknown}

// ErrNewer is returned for a record that a newer release has written.
var ErrNewer = errors.New("a newer release of silo has written it")
