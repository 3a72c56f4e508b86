package node

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/siloshim/siloshim/stats"
)

// Record is what silo run and silo attach store of a container. It has no arguments and no environment.
type Record struct {
	Kind       Kind         `json:"kind"`
	ID         string       `json:"id"`
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

// Status is the state of a container of silo run.
type Status string

// The states. A record of an earlier release has none.
const (
	Starting   Status = "starting"
	Running    Status = "running"
	Restarting Status = "restarting" // it has ended, and the policy starts it again after a pause
	Ended      Status = "exited"
)

// Records keeps a file for each container in one directory.
type Records struct{ Dir string }

// recordFile is in the directory of each container, beside its output.
const recordFile = "container.json"

// Path is the directory of a container.
func (r Records) Path(id string) string { return filepath.Join(r.Dir, id) }

// Write replaces the record atomically.
func (r Records) Write(rec *Record) error {
	if err := os.MkdirAll(r.Path(rec.ID), 0o700); err != nil {
		return fmt.Errorf("make the directory of %s: %w", rec.ID, err)
	}
	text, err := json.MarshalIndent(rec, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(r.Path(rec.ID), recordFile)
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		return fmt.Errorf("write the record of %s: %w", rec.ID, err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("write the record of %s: %w", rec.ID, err)
	}
	return nil
}

// Read reads the record of a container that runs or has exited. Without a record it returns [ErrNotFound].
func (r Records) Read(id string) (*Record, error) {
	text, err := os.ReadFile(filepath.Join(r.Path(id), recordFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("find container %s: %w; silo ps -a lists the containers of silo run", id, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("read the record of %s: %w", id, err)
	}
	rec := new(Record)
	if err := json.Unmarshal(text, rec); err != nil {
		return nil, fmt.Errorf("read the record of %s: %w", id, err)
	}
	return rec, nil
}

// read is Read for a list, which also shows a container without a record.
func (r Records) read(id string) *Record {
	rec, err := r.Read(id)
	if err != nil {
		return nil
	}
	return rec
}

// All lists the records, by id.
func (r Records) All() ([]*Record, error) {
	entries, err := os.ReadDir(r.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list records: %w", err)
	}
	var list []*Record
	for _, e := range entries {
		if rec := r.read(e.Name()); rec != nil {
			list = append(list, rec)
		}
	}
	return list, nil
}

// Remove deletes the directory of a container: its record and its output.
func (r Records) Remove(id string) error {
	if err := os.RemoveAll(r.Path(id)); err != nil {
		return fmt.Errorf("remove the record of %s: %w", id, err)
	}
	return nil
}
