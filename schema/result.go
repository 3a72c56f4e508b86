package schema

// ResultError is what the service says about an operation that failed.
type ResultError struct {
	// Error is an HRESULT.
	Error        int32        `json:"Error,omitempty"`
	ErrorMessage string       `json:"ErrorMessage,omitempty"`
	ErrorEvents  []ErrorEvent `json:"ErrorEvents,omitempty"`

	Unknown Unknown `json:"-"`
}

// ErrorEvent is one event on the way to a failure. Its data is kept as unknown:
// the service puts whole documents in there, with whatever secrets they have.
type ErrorEvent struct {
	Message    string `json:"Message,omitempty"`
	StackTrace string `json:"StackTrace,omitempty"`
	Provider   string `json:"Provider,omitempty"`
	EventId    uint16 `json:"EventId,omitempty"`
	Flags      uint32 `json:"Flags,omitempty"`
	Source     string `json:"Source,omitempty"`

	Unknown Unknown `json:"-"`
}

// SystemExitStatus comes with the notification that a compute system has exited.
type SystemExitStatus struct {
	// Status is an HRESULT.
	Status   int32    `json:"Status,omitempty"`
	ExitType ExitType `json:"ExitType,omitempty"`

	Unknown Unknown `json:"-"`
}

// ExitType says how a compute system came to its end.
type ExitType string

const (
	ExitNone       ExitType = "None"
	ExitGraceful   ExitType = "GracefulExit"
	ExitForced     ExitType = "ForcedExit"
	ExitUnexpected ExitType = "UnexpectedExit"
	ExitUnknown    ExitType = "Unknown"
)
