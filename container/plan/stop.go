package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/containerd/errdefs"
)

// The annotations for a graceful stop.
const (
	// StopSignal is the console control event that the program receives, by its Windows name, or KILL.
	StopSignal = "io.siloshim.stop-signal"
	// StopGrace is the time until the program is terminated: a duration such as "30s". Without it the program is not
	// terminated.
	StopGrace = "io.siloshim.stop-grace"
)

// Stop is how a container is stopped gracefully.
type Stop struct {
	// Signal is the number of the event that is sent in place of SIGTERM, or nil for SIGTERM.
	Signal *uint32
	// Grace is the time from the first SIGTERM to SIGKILL, if the process still runs; 0 is no SIGKILL.
	Grace time.Duration
}

// stopSignals are the console control events, and KILL.
//
// https://learn.microsoft.com/windows/console/handlerroutine
var stopSignals = map[string]uint32{
	"CTRL_C": 0, "CTRL_BREAK": 1, "CTRL_CLOSE": 2, "CTRL_LOGOFF": 5, "CTRL_SHUTDOWN": 6, "KILL": 9,
}

// newStop reads the annotations. An invalid value is [errdefs.ErrInvalidArgument].
func newStop(annotations map[string]string) (Stop, error) {
	var s Stop
	if name, has := annotations[StopSignal]; has {
		n, ok := stopSignals[strings.TrimSuffix(strings.ToUpper(name), "_EVENT")]
		if !ok {
			return s, fmt.Errorf("annotation %s: use one of %s: %w", StopSignal,
				strings.Join(slices.Sorted(maps.Keys(stopSignals)), ", "), errdefs.ErrInvalidArgument)
		}
		s.Signal = &n
	}
	if text, has := annotations[StopGrace]; has {
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			return s, fmt.Errorf("annotation %s: use a duration such as 30s: %w", StopGrace, errdefs.ErrInvalidArgument)
		}
		s.Grace = d
	}
	return s, nil
}
