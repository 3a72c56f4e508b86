package resource

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/siloshim/siloshim/internal/fault"
	"github.com/siloshim/siloshim/internal/readlimit"
)

// File is the name of the record in a container's bundle.
const File = "silo-resources.json"

// version is the version of the file format. Files without a version are of an older release; see legacy.go.
const version = 2

// Record lists the resources of one container. All methods are safe for concurrent use.
type Record struct {
	// Immutable.
	bundle string
	table  Table

	// mu guards the fields below.
	mu       sync.Mutex
	written  bool       // the file or its draft may exist
	reserved []Resource // in the file
	items    []item     // made, or about to be
	closed   bool

	closing sync.Mutex // held by Close
}

// item is a resource that may exist. If release is nil, the table releases it.
type item struct {
	Resource
	release func(context.Context) error
}

// ErrClosed is returned for a container that has been closed.
var ErrClosed = errors.New("the container has ended")

// New makes an empty record of the container with this bundle. It writes nothing.
func New(bundle string, t Table) *Record { return &Record{bundle: bundle, table: t} }

// Reserve writes resources to the file, before the first of them is made. It replaces the file atomically. After Close it
// returns [ErrClosed].
func (r *Record) Reserve(list ...Resource) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return ErrClosed
	}
	r.written = true // also after a failed write, which may leave its draft
	all := append(r.reserved[:len(r.reserved):len(r.reserved)], list...)
	if err := write(r.bundle, all); err != nil {
		return err
	}
	r.reserved = all
	return nil
}

// Begin adds a reserved resource that is about to be made. If making it fails it may exist in part, so Close releases it
// from now on.
func (r *Record) Begin(x Resource) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.items = append(r.items, item{Resource: x})
}

// Add adds a resource that this process has open. Close calls release instead of the table. After Close it returns
// [ErrClosed], and the caller releases the resource.
func (r *Record) Add(x Resource, release func(context.Context) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return ErrClosed
	}
	r.items = append(r.items, item{x, release})
	return nil
}

// Close releases every resource that it can, and removes the file when none is left. After an error it may be called
// again for those that are left.
func (r *Record) Close(ctx context.Context) error {
	r.closing.Lock()
	defer r.closing.Unlock()
	for {
		items := r.close()
		if len(items) == 0 {
			return r.remove()
		}
		rest, errs := r.table.release(ctx, items)
		r.replace(len(items), rest)
		if err := errors.Join(errs...); err != nil {
			return err
		}
	}
}

// close refuses new resources and returns those that are left.
func (r *Record) close() []item {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	return r.items
}

// remove removes the file, if there can be one.
func (r *Record) remove() error {
	r.mu.Lock()
	written := r.written
	r.mu.Unlock()
	if !written {
		return nil
	}
	return remove(r.bundle)
}

// replace puts rest in the place of the first n items. Those after them were begun meanwhile.
func (r *Record) replace(n int, rest []item) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.items = append(rest, r.items[n:]...)
}

// Replay releases what the record in the bundle lists, after the process that made the container id has died. It removes
// the file when nothing is left. A bundle without a record has nothing to release. It may be called again.
func Replay(ctx context.Context, bundle, id string, t Table) error {
	list, err := read(bundle, id)
	if err != nil {
		return err
	}
	items := make([]item, len(list))
	for n, x := range list {
		items[n].Resource = x
	}
	if _, errs := t.release(ctx, items); len(errs) > 0 {
		return errors.Join(errs...)
	}
	return remove(bundle)
}

// path is the path of the record. It is written as draft first; a process that dies before the rename has made nothing
// that is only in the draft.
func path(bundle string) string  { return filepath.Join(bundle, File) }
func draft(bundle string) string { return path(bundle) + ".new" }

// format is the content of the file.
type format struct {
	Version   int        `json:"version"`
	Resources []Resource `json:"resources"`
}

func write(bundle string, list []Resource) error {
	text, err := json.Marshal(format{version, list})
	if err != nil {
		return err
	}
	if err := fault.Call("write record", func() error { return os.WriteFile(draft(bundle), text, 0o600) }); err != nil {
		return fmt.Errorf("write the resource record: %w", err)
	}
	if err := fault.Call("rename record", func() error { return os.Rename(draft(bundle), path(bundle)) }); err != nil {
		return fmt.Errorf("write the resource record: %w", errors.Join(err, os.Remove(draft(bundle))))
	}
	return nil
}

// read reads the record of the container id. It is empty if nothing was reserved.
func read(bundle, id string) ([]Resource, error) {
	text, err := fault.Do("read record", func() ([]byte, error) { return readlimit.File(path(bundle), readlimit.Text) })
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the resource record: %w", err)
	}
	list, err := parse(text, id)
	if err != nil {
		return nil, fmt.Errorf("read the resource record %s: %w", path(bundle), err)
	}
	return list, nil
}

func parse(text []byte, id string) ([]Resource, error) {
	var f format
	if err := json.Unmarshal(text, &f); err != nil {
		return nil, err
	}
	switch f.Version {
	case version:
		return f.Resources, nil
	case 0:
		return parseLegacy(text, id)
	}
	return nil, fmt.Errorf("version %d is unknown; use the version of the shim that wrote it, or a newer one", f.Version)
}

// remove removes the record of a bundle, and its draft, if they exist.
func remove(bundle string) error {
	var errs []error
	for _, at := range []string{draft(bundle), path(bundle)} {
		if err := fault.Call("remove record", func() error { return os.Remove(at) }); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
