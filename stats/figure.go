package stats

import "strconv"

// Figure is one thing that a sample tells. Each stands alone: what becomes of one is nothing to the others.
type Figure uint8

// The figures, in the order in which a collector asks for them.
const (
	FigureMemory            Figure = iota // Commit and PeakCommit of [Memory]
	FigureProcessor                       // [Processor]
	FigureProcesses                       // Active, Total and Terminated of [Population], and [Memory].PageFaults
	FigureStorage                         // [Storage]
	FigurePrivateWorkingSet               // PrivateWorkingSet of [Memory]
	FigureWorkingSet                      // WorkingSet of [Memory]
	FigureStarted                         // [Sample].Started and Uptime
	FigureLimits                          // [Limits]
	FigureViolations                      // [Violations], never more than approximate
	figureCount
)

var figureNames = [figureCount]string{
	"memory", "processor", "processes", "storage", "private_working_set", "working_set", "started", "limits", "violations",
}

func (f Figure) String() string { return name(figureNames[:], uint8(f)) }

// Source says who told a figure.
type Source uint8

// The sources.
const (
	SourceNone      Source = iota // nobody did
	SourceJob                     // the kernel's own count for the job
	SourceProcesses               // a sum over the members of the job
	SourceOwner                   // who made the container, and told the collector
	SourceService                 // the Host Compute Service
)

var sourceNames = [...]string{"none", "job", "processes", "owner", "service"}

func (s Source) String() string { return name(sourceNames[:], uint8(s)) }

// Quality says what a figure is worth.
type Quality uint8

// The qualities.
const (
	Missing     Quality = iota // not there; the value is zero and means nothing
	Approximate                // there, but derived, or without a part that could not be had
	Exact                      // as the source counts it
)

var qualityNames = [...]string{"missing", "approximate", "exact"}

func (q Quality) String() string { return name(qualityNames[:], uint8(q)) }

// MarshalText gives the name.
func (f Figure) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// MarshalText gives the name.
func (s Source) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalText gives the name.
func (q Quality) MarshalText() ([]byte, error) { return []byte(q.String()), nil }

func name(names []string, i uint8) string {
	if int(i) < len(names) {
		return names[i]
	}
	return strconv.Itoa(int(i))
}

// Provenance is where a figure comes from.
type Provenance struct {
	Source  Source
	Quality Quality
	// Err is why the figure is not exact, where the kernel gave a reason.
	Err error
}
