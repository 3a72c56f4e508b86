// Package resource records the resources of the machine that belong to one container, and releases them.
//
// The resources are written to a [Record] in the container's bundle before they are made. A [Table] releases them in its
// order: [Record.Close] while the process that made them lives, and [Replay] after that process has died.
package resource

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Kind is the kind of a resource. It determines which fields of a [Resource] identify it.
type Kind string

// The kinds.
const (
	System        Kind = "compute-system"    // Name is the id
	Credentials   Kind = "credentials"       // an instance of the credential guard; Name is the container's id
	Endpoint      Kind = "network-endpoint"  // the membership in a namespace; Name is the endpoint's GUID, In the namespace's
	Namespace     Kind = "network-namespace" // Name is the GUID
	Mount         Kind = "mount"             // a volume mount point at Path
	Directory     Kind = "directory"         // Path is a directory that exists while a container needs it
	Union         Kind = "layer-union"       // the overlay filter on the volume of the layer at Path
	PreparedLayer Kind = "prepared-layer"    // the parents of the layer at Path are visible in its volume
	ActiveLayer   Kind = "active-layer"      // the disk of the layer at Path is attached
	Images        Kind = "layer-images"      // mounted image files; Name is the container's id
	Logon         Kind = "logon"             // a token, which ends with its process; never in a file
	Account       Kind = "account"           // a local user; Name is the user name
	PodInfo       Kind = "pod-info"          // shared memory, which ends with its process; never in a file
)

// Resource identifies one resource of the machine. It contains no secret.
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

// Step releases the resources of one kind.
type Step struct {
	Kind Kind
	// Release releases one resource. A resource that does not exist is no error. It is nil for a kind whose resources are
	// released only by the function that was given to [Record.Add].
	Release func(context.Context, Resource) error
	// After are the kinds that use this one. While a resource of one of them is left, the resources of this step stay.
	After []Kind
}

// Table has one step for each kind, in the order of release. Resources of one kind are released newest first.
type Table []Step

// release releases items and returns those that are left, in their order. A failure does not stop the steps that follow,
// except by [Step.After].
func (t Table) release(ctx context.Context, items []item) (rest []item, errs []error) {
	left := map[Kind]bool{}
	keep := func(i item, err error) {
		errs = append(errs, fmt.Errorf("release %s: %w", i.Resource, err))
		rest = append([]item{i}, rest...)
		left[i.Kind] = true
	}
	for _, i := range slices.Backward(items) {
		if !slices.ContainsFunc(t, func(s Step) bool { return s.releases(i) }) {
			keep(i, errors.New("kind is unknown; use the version of the shim that recorded it, or a newer one"))
		}
	}
	for _, step := range t {
		for _, i := range slices.Backward(items) {
			if !step.releases(i) {
				continue
			}
			if n := slices.IndexFunc(step.After, func(k Kind) bool { return left[k] }); n >= 0 {
				keep(i, fmt.Errorf("it is in use by a %s that was not released", step.After[n]))
			} else if err := step.release(ctx, i); err != nil {
				keep(i, err)
			}
		}
	}
	return rest, errs
}

func (s Step) releases(i item) bool {
	return s.Kind == i.Kind && (s.Release != nil || i.release != nil)
}

func (s Step) release(ctx context.Context, i item) error {
	release := i.release
	if release == nil {
		release = func(ctx context.Context) error { return s.Release(ctx, i.Resource) }
	}
	return Retry(ctx, transient, func() error { return release(ctx) })
}

// Windows has been observed to need several attempts under load, both to make and to release a resource.
const (
	attempts = 5
	pause    = 100 * time.Millisecond
)

// Retry calls try until it succeeds, at most five times, 100 ms apart. It returns the last error early if transient
// reports false for it or ctx ends.
func Retry(ctx context.Context, transient func(error) bool, try func() error) error {
	for n := 1; ; n++ {
		err := try()
		if err == nil || n == attempts || !transient(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(pause):
		}
	}
}

// transient reports whether another attempt may succeed. After a timeout it would only wait as long again.
func transient(err error) bool { return !errors.Is(err, context.DeadlineExceeded) }
