package stats

import "strconv"

// Metric is one part of a sample. Each metric fails alone: the others of the same sample are not affected.
type Metric uint8

// The metrics, in the order in which a collector queries them.
const (
	MetricMemory            Metric = iota // Commit and PeakCommit of [Memory]
	MetricProcessor                       // [Processor]
	MetricProcesses                       // Active, Total and Terminated of [ProcessCounts], and [Memory].PageFaults
	MetricStorage                         // [Storage]
	MetricPrivateWorkingSet               // PrivateWorkingSet of [Memory]
	MetricWorkingSet                      // WorkingSet of [Memory]
	MetricStarted                         // [Sample].Started and Uptime
	MetricLimits                          // [Limits]
	MetricViolations                      // [Violations]; at most approximate
	metricCount
)

var metricNames = [metricCount]string{
	"memory", "processor", "processes", "storage", "private_working_set", "working_set", "started", "limits", "violations",
}

func (m Metric) String() string { return name(metricNames[:], uint8(m)) }

// Source is where the value of a metric comes from.
type Source uint8

// The sources.
const (
	SourceNone      Source = iota // the metric is missing
	SourceJob                     // the kernel's own count for the job
	SourceProcesses               // a sum over the members of the job
	SourceOwner                   // the program that made the container
	SourceService                 // the Host Compute Service
)

var sourceNames = [...]string{"none", "job", "processes", "owner", "service"}

func (s Source) String() string { return name(sourceNames[:], uint8(s)) }

// Quality is how far the value of a metric can be trusted.
type Quality uint8

// The qualities.
const (
	Missing     Quality = iota // there is no value: the field is zero and means nothing
	Approximate                // the value is derived, or a part of it could not be read
	Exact                      // the value is the source's own count
)

var qualityNames = [...]string{"missing", "approximate", "exact"}

func (q Quality) String() string { return name(qualityNames[:], uint8(q)) }

// MarshalText returns the name.
func (m Metric) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// MarshalText returns the name.
func (s Source) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalText returns the name.
func (q Quality) MarshalText() ([]byte, error) { return []byte(q.String()), nil }

func name(names []string, i uint8) string {
	if int(i) < len(names) {
		return names[i]
	}
	return strconv.Itoa(int(i))
}

// Provenance is the origin of one metric of a sample.
type Provenance struct {
	Source  Source
	Quality Quality
	// Err is the kernel's reason why the metric is not exact; nil without one.
	Err error
}
