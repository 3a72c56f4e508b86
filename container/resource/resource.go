// Package resource records what a container has of its machine and releases it.
//
// A [Record] is the one list of a container's resources. They are written to a file of the container's bundle before
// they are made, and released in the order of a [Table]: by [Record.Close] while the process lives that made them, and by
// [Replay] when it has died.
package resource

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Kind says what a resource is, and which of the fields of a [Resource] name it.
type Kind string

// The kinds.
const (
	System        Kind = "compute-system"    // Name is the id
	Credentials   Kind = "credentials"       // an instance of the credential guard; Name is the container's id
	Endpoint      Kind = "network-endpoint"  // in a namespace; Name is its GUID, In the namespace's
	Namespace     Kind = "network-namespace" // Name is its GUID
	Mount         Kind = "mount"             // a volume that is shown at Path
	Directory     Kind = "directory"         // Path is a directory that is kept while a container needs it
	Union         Kind = "layer-union"       // of image files, on the volume of the layer at Path
	PreparedLayer Kind = "prepared-layer"    // the parents of the layer at Path are shown
	ActiveLayer   Kind = "active-layer"      // the disk of the layer at Path is attached
	Images        Kind = "layer-images"      // mounted image files; Name is the container's id
	Logon         Kind = "logon"             // a token, which ends with its process; never in a file
	Account       Kind = "account"           // a local user; Name is its name
)

// Resource is one thing of the machine. It holds no secret.
type Resource struct {
	Kind Kind   `json:"kind"`
	Name string `json:"name,omitempty"`
	In   string `json:"in,omitempty"`
	Path string `json:"path,omitempty"`
}

func (r Resource) String() string {
	text := string(r.Kind)
	for _, part := range []string{r.Name, r.Path} {
		if part != "" {
			text += " " + part
		}
	}
	if r.In != "" {
		text += " of " + r.In
	}
	return text
}

// Step releases the resources of one kind. A resource that is not there is no error.
type Step struct {
	Kind    Kind
	Release func(context.Context, Resource) error
	// After is a kind whose resources must be gone first; "" is none. While one of them is left, those of this step stay.
	After Kind
}

// Table releases every kind of resource, in its order; the resources of one kind go newest first.
type Table []Step

// release releases what is in items and returns the rest. Each step is tried more than once, and none keeps the others,
// but for [Step].After.
func (t Table) release(ctx context.Context, items []item) (rest []item, errs []error) {
	left := map[Kind]bool{}
	failed := func(i item, err error) {
		errs = append(errs, fmt.Errorf("release %s: %w", i.Resource, err))
		rest = append([]item{i}, rest...)
		left[i.Kind] = true
	}
	for _, i := range items {
		if !slices.ContainsFunc(t, func(s Step) bool { return s.Kind == i.Kind && (s.Release != nil || i.release != nil) }) {
			failed(i, errors.New("its kind is unknown here: use the shim that recorded it, or a newer one"))
		}
	}
	for _, step := range t {
		for n := len(items) - 1; n >= 0; n-- {
			i := items[n]
			if i.Kind != step.Kind || step.Release == nil && i.release == nil {
				continue
			}
			if step.After != "" && left[step.After] {
				failed(i, fmt.Errorf("the %s that uses it is still there", step.After))
				continue
			}
			free := i.release
			if free == nil {
				free = func(ctx context.Context) error { return step.Release(ctx, i.Resource) }
			}
			if err := Retry(ctx, passes, func() error { return free(ctx) }); err != nil {
				failed(i, err)
			}
		}
	}
	return rest, errs
}
