package schema

// ResultError is the service's report of a failed operation.
type ResultError struct {
	// Error is an HRESULT.
	Error        int32        `json:"Error,omitempty"`
	ErrorMessage string       `json:"ErrorMessage,omitempty"`
	ErrorEvents  []ErrorEvent `json:"ErrorEvents,omitempty"`

	Unknown Unknown `json:"-"`
}

// ErrorEvent is one event that led to a failure. It has no field for the data of the
// event: that can be a whole document, with its secrets.
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

// ExitType is the way in which a compute system ended.
type ExitType string

const (
	ExitNone       ExitType = "None"
	ExitGraceful   ExitType = "GracefulExit"
	ExitForced     ExitType = "ForcedExit"
	ExitUnexpected ExitType = "UnexpectedExit"
	ExitUnknown    ExitType = "Unknown"
)
