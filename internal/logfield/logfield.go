// Package logfield has the keys of structured log records.
package logfield

// The keys.
const (
	ContainerID = "container_id"
	ExecID      = "exec_id"
	Namespace   = "namespace"
	Pid         = "pid"
	State       = "state"
	Op          = "op"
	Duration    = "duration"
	Status      = "status"
	Topic       = "topic"
	Stream      = "stream"
	LostBytes   = "lost_bytes"
	Written     = "written_bytes"
	Absences    = "absences"
	TraceID     = "trace_id"
	SpanID      = "span_id"
	ParentID    = "parent_span_id"
)
