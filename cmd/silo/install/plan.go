package install

import (
	"context"
	"errors"
	"fmt"
)

// Change is one step of a plan.
type Change struct {
	Action string `json:"action"` // create, replace, edit, remove, keep or restart
	Path   string `json:"path"`
	Why    string `json:"why"`

	apply func() (undo func() error, err error)
}

// Plan has the changes to make, in order. It has none where all is installed.
type Plan struct {
	Changes []Change
	// Unread is set where containerd does not read the changes until its next restart.
	Unread bool

	check   func(context.Context) error // after the files, before the restart
	restart *restart
	tidy    func()
}

func (p *Plan) add(action, path, why string, apply func() (func() error, error)) {
	p.Changes = append(p.Changes, Change{Action: action, Path: path, Why: why, apply: apply})
}

// put plans a file with this content, unless it has that already.
func (p *Plan) put(path, why string, content []byte) error {
	there, different, err := differs(path, content)
	if err != nil || !different {
		return err
	}
	action := "create"
	if there {
		action = "replace"
	}
	p.add(action, path, why, func() (func() error, error) { return put(path, content) })
	return nil
}

// remove plans the removal of a file.
func (p *Plan) remove(path, why string) error {
	there, _, err := differs(path, nil)
	if err == nil && there {
		p.add("remove", path, why, func() (func() error, error) { return takeAway(path) })
	}
	return err
}

// Apply makes the changes, checks them and restarts the service where the plan says so. If a step fails, the
// changes are undone in reverse order, and the service is restarted with its former files.
func (p *Plan) Apply(ctx context.Context) error {
	var undo []func() error
	back := func(err error) error {
		for i := len(undo) - 1; i >= 0; i-- {
			err = errors.Join(err, undo[i]())
		}
		return err
	}
	for _, c := range p.Changes {
		if c.apply == nil {
			continue
		}
		u, err := c.apply()
		if err != nil {
			return back(fmt.Errorf("%s %s: %w", c.Action, c.Path, err))
		}
		undo = append(undo, u)
	}
	if p.check != nil && len(undo) > 0 {
		if err := p.check(ctx); err != nil {
			return back(err)
		}
	}
	if p.restart != nil {
		if err := p.restart.run(ctx); err != nil {
			err = back(err)
			return errors.Join(err, p.restart.undo(ctx))
		}
	}
	if p.tidy != nil {
		p.tidy()
	}
	return nil
}
