package spec

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
		c.Warnings = append(c.Warnings, field+": "+why)
		return nil
	}
	return fmt.Errorf("%s: %s; annotation %s: \"true\" makes this a warning: %w", field, why, BestEffort, errdefs.ErrNotImplemented)
}
