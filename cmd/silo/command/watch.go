package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/siloshim/siloshim/cmd/silo/node"
)

// lookFlags are the flags of a verb that looks at containers again and again.
type lookFlags struct {
	interval time.Duration
	count    int
}

// check refuses an interval without time.
func (f *lookFlags) check() error {
	if f.interval <= 0 {
		return fmt.Errorf("--interval is %v; use more than 0", f.interval)
	}
	return nil
}

// watched are the containers that a verb goes on looking at: those named, or all of the machine. One that ends or fails
// does not end the verb for the others.
type watched struct {
	app   *App
	refs  []string                  // none: all
	known map[string]node.Container // those found so far, by how they were named
	fails map[string]error          // what is wrong with a container, by how it was named or by its full name
}

func (a *App) watch(refs []string) *watched {
	return &watched{app: a, refs: slices.Compact(slices.Clone(refs)), known: map[string]node.Container{}, fails: map[string]error{}}
}

// find returns the containers that exist, and those named that existed before and are gone. A name that has no container
// at the first call is a failure.
func (w *watched) find() (list, gone []node.Container, err error) {
	if len(w.refs) == 0 {
		list, err = w.app.Node.Containers()
		return list, nil, err
	}
	for _, ref := range w.refs {
		was, known := w.known[ref]
		if !known && w.fails[ref] != nil {
			continue // there was none at the first look
		}
		c, err := w.app.Node.Find(ref)
		switch {
		case err == nil:
			w.known[ref] = c
			list = appendNew(list, c)
		case known && errors.Is(err, node.ErrNotFound):
			gone = appendNew(gone, was)
		default:
			w.fails[ref] = err
		}
	}
	return list, gone, nil
}

// appendNew appends a container, unless the list has it by another of its names.
func appendNew(list []node.Container, c node.Container) []node.Container {
	if slices.ContainsFunc(list, func(other node.Container) bool { return other.Job == c.Job }) {
		return list
	}
	return append(list, c)
}

// note keeps or clears the failure of a container.
func (w *watched) note(c node.Container, err error) {
	if err == nil {
		delete(w.fails, c.Name())
		return
	}
	w.fails[c.Name()] = err
}

// printFails prints what failed, a line for each.
func (w *watched) printFails(to io.Writer) {
	for _, name := range sortedKeys(w.fails) {
		fmt.Fprintln(to, printable(w.fails[name].Error()))
	}
}

// failed reports on stderr what failed and did not succeed later, and returns the exit code 1: the others were shown.
func (w *watched) failed() error {
	if len(w.fails) == 0 {
		return nil
	}
	for _, name := range sortedKeys(w.fails) {
		fmt.Fprintf(w.app.Stderr, "silo: %s\n", printable(w.fails[name].Error()))
	}
	return exit(1)
}

// again calls see until it has been called count times, where that is not 0, until see returns false, or until ctx ends.
func (a *App) again(ctx context.Context, f lookFlags, see func() (more bool, err error)) error {
	for n := 1; ; n++ {
		more, err := see()
		if err != nil || !more || n == f.count {
			return err
		}
		if a.pauseFor(ctx, f.interval) != nil {
			return nil //nolint:nilerr // Ctrl+C is the usual end
		}
	}
}
