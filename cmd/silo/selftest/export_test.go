package selftest

import "context"

// RunOne runs the trial with this name.
func (h *Host) RunOne(ctx context.Context, name string) Verdict {
	for _, group := range groups {
		for i := range group {
			if t := &group[i]; t.name == name {
				note, err := h.try(ctx, t)
				return judge(t, note, err, h.Emulation)
			}
		}
	}
	panic("no trial " + name)
}
