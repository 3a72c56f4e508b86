package plan

import (
	"fmt"

	"github.com/containerd/errdefs"
)

// BestEffort is the annotation that turns unsupported fields into warnings if its value is "true".
const BestEffort = "io.siloshim.best-effort"

// Unsupported collects the fields of a specification that a plan leaves out.
type Unsupported struct {
	// Warnings name the fields that have no effect, with the reason. Without [BestEffort] only fields on which no caller
	// can rely are warnings; the others are errors.
	Warnings []string

	bestEffort bool
}

// forUpdate is for an update with annotations: best effort applies if the container or the update asks for it.
func (u *Unsupported) forUpdate(a map[string]string) *Unsupported {
	return &Unsupported{bestEffort: u.bestEffort || a[BestEffort] == "true"}
}

// unsupported returns an error for a field that has no effect, or with best effort records a warning.
func (u *Unsupported) unsupported(field, why string) error {
	if u.bestEffort {
		u.warn(field, why)
		return nil
	}
	return fmt.Errorf("%s: %s; annotation %s: \"true\" makes this a warning: %w", field, why, BestEffort, errdefs.ErrNotImplemented)
}

// warn records that a field has no effect.
func (u *Unsupported) warn(field, why string) { u.Warnings = append(u.Warnings, field+": "+why) }

// outOfRange sets v to the nearest value in its range. It returns an error with the range, or with best effort records a
// warning.
func (u *Unsupported) outOfRange(v *value, rule string, nearest uint64) error {
	requested := v.n
	v.n = nearest
	if u.bestEffort {
		u.warn(fmt.Sprintf("%s %d", v.field, requested), fmt.Sprintf("%s; %d is taken", rule, nearest))
		return nil
	}
	return fmt.Errorf("%s %d: %s; annotation %s: \"true\" takes %d instead: %w",
		v.field, requested, rule, BestEffort, nearest, errdefs.ErrInvalidArgument)
}
