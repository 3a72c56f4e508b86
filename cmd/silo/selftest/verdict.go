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
	Skipped = "skipped" // the host lacks what Why names
	Broken  = "broken"
)

// Verdict is what became of one trial.
type Verdict struct {
	Trial   string   `json:"trial"`
	Settles []string `json:"settles,omitempty"` // rows of docs/unproved.md
	Result  string   `json:"result"`
	Why     string   `json:"why,omitempty"` // what is lacking or broken, or what was measured
}

// lack is an error that names what the host does not have.
type lack struct{ what error }

func (l lack) Error() string { return l.what.Error() }
func (l lack) Unwrap() error { return l.what }

// unkept is an error that says that the kernel took something and did not keep it.
type unkept string

func (u unkept) Error() string { return string(u) }

func unkeptf(format string, args ...any) error { return unkept(fmt.Sprintf(format, args...)) }

// judge makes a verdict. emulation is the name of what stands in for the kernel, or "".
func judge(t *trial, note string, err error, emulation string) Verdict {
	v := Verdict{Trial: t.name, Settles: strings.Fields(t.settles), Result: Kept, Why: note}
	var missing lack
	var kernel unkept
	switch {
	case err == nil:
		return v
	case errors.As(err, &kernel) && emulation != "":
		v.Result, v.Why = Skipped, "lacks: "+emulation+" does not keep it: "+kernel.Error()
	case errors.As(err, &missing), errors.Is(err, jobobject.ErrNotSupported):
		v.Result, v.Why = Skipped, "lacks: "+err.Error()
	default:
		v.Result, v.Why = Broken, err.Error()
	}
	v.Why = strings.ReplaceAll(v.Why, "\n", "; ")
	return v
}
