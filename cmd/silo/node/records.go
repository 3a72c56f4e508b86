package node

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/siloshim/siloshim/internal/ownership"
	"github.com/siloshim/siloshim/internal/readlimit"
	"github.com/siloshim/siloshim/jobobject"
)

// Records keeps a directory for each container in one directory. Ids that differ in case alone are one container.
type Records struct {
	Dir string
	// Kernel has the supervisors; nil is the system's.
	Kernel jobobject.Kernel
}

// recordFile is in the directory of each container, beside its output.
const recordFile = "container.json"

// Path is the directory of a container.
func (r Records) Path(id string) string { return filepath.Join(r.Dir, fold(id)) }

// Security descriptors of the directories, in SDDL.
const (
	// SharedDir is that of all records: every user may list them, and make the directory of a container.
	SharedDir = "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;;0x1200ad;;;AU)"
	// PrivateDir is that of one container, with its record and its output.
	PrivateDir = "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;OW)"
)

// MakeDir makes the directory of a container, to which its owner and the administrators alone have access. It returns
// [ownership.ErrForeign] if another user has made it, or the directory of all records.
func (r Records) MakeDir(id string) error {
	err := ownership.MakeAll(r.Dir, SharedDir)
	if err == nil {
		err = ownership.MakeDir(r.Path(id), PrivateDir)
	}
	if err != nil {
		return fmt.Errorf("make the directory of %s: %w", id, err)
	}
	return nil
}

// Owned returns [ownership.ErrForeign] if another user has made the directory of a container, or that of all records. What
// is in it must then be neither followed nor changed.
func (r Records) Owned(id string) error {
	for _, dir := range []string{filepath.Dir(r.Dir), r.Dir, r.Path(id)} {
		if err := ownership.Check(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("the directory of %s: %w", id, err)
		}
	}
	return nil
}

// Write replaces the record atomically, also while it is read.
func (r Records) Write(rec *Record) error {
	if err := r.MakeDir(rec.ID); err != nil {
		return err
	}
	rec.Version = recordVersion
	if rec.SupervisorCreated.IsZero() {
		rec.SupervisorCreated, _ = created(r.kernel(), rec.Supervisor) // unknown: the time of the start has to do
	}
	text, err := json.MarshalIndent(rec, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(r.Path(rec.ID), recordFile)
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		return fmt.Errorf("write the record of %s: %w", rec.ID, err)
	}
	if err := retry(writeRetries, func() error { return os.Rename(path+".new", path) }); err != nil {
		return fmt.Errorf("write the record of %s: %w", rec.ID, err)
	}
	return nil
}

// How long a file that another process has open is tried again. A file that may never be read must not delay a list.
const (
	writeRetries = 2 * time.Second
	readRetries  = 100 * time.Millisecond
)

// retry calls do again while another process is in its way, for at most so long.
func retry(most time.Duration, do func() error) error {
	pause := time.Millisecond
	for began := time.Now(); ; {
		err := do()
		if err == nil || !inUse(err) || time.Since(began)+pause > most {
			return err
		}
		time.Sleep(pause)
		pause = min(2*pause, 50*time.Millisecond)
	}
}

// readFile reads a file that another process may replace meanwhile.
func readFile(path string) (text []byte, err error) {
	err = retry(readRetries, func() error {
		f, err := openShared(path)
		if err != nil {
			return err
		}
		defer f.Close() // it was only read
		text, err = readlimit.Read(f, readlimit.Text)
		return err
	})
	return text, err
}

// Read reads the record of a container that runs or has exited. Without a record it returns [ErrNotFound], and for that
// of a newer release [ErrNewer] and what it understands of it.
func (r Records) Read(id string) (*Record, error) {
	path := filepath.Join(r.Path(id), recordFile)
	text, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("find container %s: %w; silo ps -a lists the containers of silo run", id, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("read the record of %s: %w", id, err)
	}
	var is struct{ Version int }
	rec := new(Record)
	// The version comes first: a newer record may have another form.
	err, version := json.Unmarshal(text, rec), json.Unmarshal(text, &is)
	if version == nil && is.Version > recordVersion {
		return rec, fmt.Errorf("read the record of %s: %s has version %d, and this silo reads %d: %w", id, path, is.Version, recordVersion, ErrNewer)
	}
	if err == nil && rec.ID == "" {
		err = errors.New("it has no id")
	}
	if err != nil {
		return nil, fmt.Errorf("read the record of %s: %s: %w", id, path, err)
	}
	if fold(rec.ID) != fold(id) {
		rec.ID = id // silo rename was interrupted
	}
	return rec, nil
}

// All returns the containers that have a record, as far as the records say.
func (r Records) All() ([]Container, error) {
	entries, err := os.ReadDir(r.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list records: %w", err)
	}
	var list []Container
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		rec, err := r.Read(e.Name())
		if errors.Is(err, ErrNotFound) {
			continue
		}
		c := Container{Kind: Run, Namespace: Own, ID: e.Name(), Job: JobName(Own, e.Name()), Status: Unknown}
		if err != nil {
			c.Error = err.Error()
			c.supervised = rec != nil && r.Supervised(rec)
		} else {
			c.describe(rec, r)
		}
		list = append(list, c)
	}
	return list, nil
}

// Rename gives a container that has ended, and its record, another id. It returns [jobobject.ErrExist] for an id that
// another container has.
func (r Records) Rename(rec *Record, id string) error {
	if err := r.Owned(rec.ID); err != nil {
		return err
	}
	from, to := r.Path(rec.ID), r.Path(id)
	if from != to {
		if _, err := os.Lstat(to); err == nil {
			return fmt.Errorf("rename %s to %s: %w", rec.ID, id, jobobject.ErrExist)
		}
		if err := retry(writeRetries, func() error { return os.Rename(from, to) }); err != nil {
			return fmt.Errorf("rename %s to %s: %w", rec.ID, id, err)
		}
	}
	renamed := *rec
	renamed.ID = id
	if inside, err := filepath.Rel(from, rec.Log); err == nil && filepath.IsLocal(inside) {
		renamed.Log = filepath.Join(to, inside)
	}
	return r.Write(&renamed)
}

// Remove deletes the directory of a container: its record and its output.
func (r Records) Remove(id string) error {
	if err := retry(writeRetries, func() error { return os.RemoveAll(r.Path(id)) }); err != nil {
		return fmt.Errorf("remove the record of %s: %w", id, err)
	}
	return nil
}
