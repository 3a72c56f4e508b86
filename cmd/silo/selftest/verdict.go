package selftest

import (
	"errors"
	"fmt"
	"strings"

	"github.com/siloshim/siloshim/jobobject"
)

// The results of a trial.
const (
	Kept    = "kept"
	Skipped = "skipped" // a capability is missing on the host
	Broken  = "broken"
)

// Verdict is the result of one trial.
type Verdict struct {
	Trial   string   `json:"trial"`
	Settles []string `json:"settles,omitempty"` // rows of docs/unproved.md
	Result  string   `json:"result"`
	Why     string   `json:"why,omitempty"` // what is missing or broken, or what was measured
}

// missing is an error that names what the host does not have.
type missing struct{ what error }

func (m missing) Error() string { return m.what.Error() }
func (m missing) Unwrap() error { return m.what }

// unkept is an error for a call that succeeded without the documented effect.
type unkept string

func (u unkept) Error() string { return string(u) }

func unkeptf(format string, args ...any) error { return unkept(fmt.Sprintf(format, args...)) }

// judge makes a verdict. emulation names the emulation of Windows, or is empty.
func judge(t *trial, note string, err error, emulation string) Verdict {
	v := Verdict{Trial: t.name, Settles: strings.Fields(t.settles), Result: Kept, Why: note}
	var capability missing
	var kernel unkept
	switch {
	case err == nil:
		return v
	case errors.As(err, &kernel) && emulation != "":
		v.Result, v.Why = Skipped, "missing: "+emulation+" does not enforce it: "+kernel.Error()
	case errors.As(err, &capability), errors.Is(err, jobobject.ErrNotSupported):
		v.Result, v.Why = Skipped, "missing: "+err.Error()
	default:
		v.Result, v.Why = Broken, err.Error()
	}
	v.Why = strings.ReplaceAll(v.Why, "\n", "; ")
	return v
}
