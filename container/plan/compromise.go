package plan

import (
	"fmt"

	"github.com/containerd/errdefs"
)

// Compromise is what a plan does with wishes that cannot be had.
type Compromise struct {
	// Warnings name what was asked for and will not be done: with [BestEffort] whatever cannot be had, and else what no
	// caller could rely on.
	Warnings []string

	bestEffort bool
}

// lacks records that field will not be done, which is an error unless best effort is enough.
func (c *Compromise) lacks(field, why string) error {
	if c.bestEffort {
		c.warn(field, why)
		return nil
	}
	return fmt.Errorf("%s: %s; annotation %s: \"true\" makes this a warning: %w", field, why, BestEffort, errdefs.ErrNotImplemented)
}

// warn records that field will not be done, which no caller relies on.
func (c *Compromise) warn(field, why string) { c.Warnings = append(c.Warnings, field+": "+why) }

// outOfRange is an error that says which values can be, or, if best effort is enough, a warning; then w is the nearest.
func (c *Compromise) outOfRange(w *wish, rule string, nearest uint64) error {
	asked := w.value
	w.value = nearest
	if c.bestEffort {
		c.warn(fmt.Sprintf("%s %d", w.field, asked), fmt.Sprintf("%s; %d is taken", rule, nearest))
		return nil
	}
	return fmt.Errorf("%s %d: %s; annotation %s: \"true\" takes %d instead: %w",
		w.field, asked, rule, BestEffort, nearest, errdefs.ErrInvalidArgument)
}
