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
)

// File is the name of the file in a container's bundle.
const File = "silo-resources.json"

// version is that of the file's form. Files without one are of an older release; see legacy.go.
const version = 2

// Record lists the resources of one container. All methods are safe for concurrent use.
type Record struct {
	// Immutable.
	bundle string
	table  Table

	// mu guards the fields below.
	mu       sync.Mutex
	reserved []Resource // what the file lists
	items    []item     // what is made, or about to be
	closed   bool

	closing sync.Mutex // lets one Close at a time work
}

// item is a resource that may be there. release is nil where the table's way is the one.
type item struct {
	Resource
	release func(context.Context) error
}

// ErrClosed says that the container has been closed: nothing is made for it any more.
var ErrClosed = errors.New("the container has ended")

// New makes an empty record of the container with this bundle. It writes nothing.
func New(bundle string, t Table) *Record { return &Record{bundle: bundle, table: t} }

// Reserve writes down resources that are to be made, before the first of them is. The file is replaced as one step.
func (r *Record) Reserve(list ...Resource) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return ErrClosed
	}
	all := append(r.reserved[:len(r.reserved):len(r.reserved)], list...)
	if err := write(r.bundle, all); err != nil {
		return err
	}
	r.reserved = all
	return nil
}

// Begin says that x is about to be made: what breaks off half way may be there, so Close releases it from now on.
func (r *Record) Begin(x Resource) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.items = append(r.items, item{Resource: x})
}

// Hold adds x, of which this process has more than a file can say, such as a handle: Close calls release in the table's
// stead. After [ErrClosed] the caller does.
func (r *Record) Hold(x Resource, release func(context.Context) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return ErrClosed
	}
	r.items = append(r.items, item{x, release})
	return nil
}

// Close releases everything, as far as that is possible, and removes the file when nothing is left. It may be called
// again for the rest.
func (r *Record) Close(ctx context.Context) error {
	r.closing.Lock()
	defer r.closing.Unlock()
	r.mu.Lock()
	r.closed = true
	items := r.items
	r.mu.Unlock()
	rest, errs := r.table.release(ctx, items)
	r.mu.Lock()
	r.items = rest
	r.mu.Unlock()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return Remove(r.bundle)
}

// Replay releases what the record in the bundle of a dead process lists, the one of the container id, and removes the
// file when nothing is left. Without a file there is nothing to release. It may be called again.
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
	return Remove(bundle)
}

// path is where the record of a bundle is, and draft where it is written first: a process that dies there has made nothing
// yet.
func path(bundle string) string  { return filepath.Join(bundle, File) }
func draft(bundle string) string { return path(bundle) + ".new" }

// form is the file.
type form struct {
	Version   int        `json:"version"`
	Resources []Resource `json:"resources"`
}

func write(bundle string, list []Resource) error {
	text, err := json.Marshal(form{version, list})
	if err != nil {
		return err
	}
	if err := fault.Call("write ledger", func() error { return os.WriteFile(draft(bundle), text, 0o600) }); err != nil {
		return fmt.Errorf("write the record of resources: %w", err)
	}
	if err := fault.Call("rename ledger", func() error { return os.Rename(draft(bundle), path(bundle)) }); err != nil {
		return fmt.Errorf("write the record of resources: %w", errors.Join(err, os.Remove(draft(bundle))))
	}
	return nil
}

// read reads the record in the bundle of the container id. It is empty where nothing was reserved.
func read(bundle, id string) (list []Resource, err error) {
	text, err := fault.Do("read ledger", func() ([]byte, error) { return os.ReadFile(path(bundle)) })
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		list, err = parse(text, id)
	}
	if err != nil {
		return nil, fmt.Errorf("read the record of resources: %w", err)
	}
	return list, nil
}

func parse(text []byte, id string) ([]Resource, error) {
	var f form
	if err := json.Unmarshal(text, &f); err != nil {
		return nil, err
	}
	switch f.Version {
	case version:
		return f.Resources, nil
	case 0:
		return parseLegacy(text, id)
	}
	return nil, fmt.Errorf("version %d is unknown: use the shim that wrote it, or a newer one", f.Version)
}

// Remove removes the record of a bundle and the draft of one, if they are there.
func Remove(bundle string) error {
	var errs []error
	for _, at := range []string{draft(bundle), path(bundle)} {
		if err := fault.Call("remove ledger", func() error { return os.Remove(at) }); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
