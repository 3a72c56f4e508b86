package schema

// ProcessParameters describe a process to start in a compute system.
type ProcessParameters struct {
	ApplicationName  string            `json:"ApplicationName,omitempty"`
	CommandLine      string            `json:"CommandLine,omitempty"`
	User             string            `json:"User,omitempty"`
	WorkingDirectory string            `json:"WorkingDirectory,omitempty"`
	Environment      map[string]string `json:"Environment,omitempty"`
	RestrictedToken  bool              `json:"RestrictedToken,omitempty"`
	// EmulateConsole gives the process a console on the pipes; there is no stderr then.
	EmulateConsole   bool `json:"EmulateConsole,omitempty"`
	CreateStdInPipe  bool `json:"CreateStdInPipe,omitempty"`
	CreateStdOutPipe bool `json:"CreateStdOutPipe,omitempty"`
	CreateStdErrPipe bool `json:"CreateStdErrPipe,omitempty"`
	// ConsoleSize is the height and then the width, in characters.
	ConsoleSize      []uint16 `json:"ConsoleSize,omitempty"`
	UseExistingLogin bool     `json:"UseExistingLogin,omitempty"`
	UseLegacyConsole bool     `json:"UseLegacyConsole,omitempty"`

	Unknown Unknown `json:"-"`
}

// ProcessStatus is the state of a process. ExitCode is valid only if Exited is true
// and LastWaitResult, an HRESULT, is zero.
type ProcessStatus struct {
	ProcessId      uint32 `json:"ProcessId,omitempty"`
	Exited         bool   `json:"Exited,omitempty"`
	ExitCode       uint32 `json:"ExitCode,omitempty"`
	LastWaitResult int32  `json:"LastWaitResult,omitempty"`

	Unknown Unknown `json:"-"`
}

// ProcessModifyRequest changes a running process: the member that goes with
// Operation is set.
type ProcessModifyRequest struct {
	Operation   ProcessOperation `json:"Operation,omitempty"`
	ConsoleSize *ConsoleSize     `json:"ConsoleSize,omitempty"`
	CloseHandle *CloseHandle     `json:"CloseHandle,omitempty"`

	Unknown Unknown `json:"-"`
}

// ProcessOperation is the kind of a [ProcessModifyRequest].
type ProcessOperation string

const (
	OperationConsoleSize ProcessOperation = "ConsoleSize"
	OperationCloseHandle ProcessOperation = "CloseHandle"
)

// ConsoleSize is the size of a console in characters.
type ConsoleSize struct {
	Height uint16 `json:"Height"`
	Width  uint16 `json:"Width"`
}

// CloseHandle closes the service's end of a standard stream.
type CloseHandle struct {
	Handle StdHandle `json:"Handle,omitempty"`
}

// StdHandle names a standard stream.
type StdHandle string

const (
	StdIn  StdHandle = "StdIn"
	StdOut StdHandle = "StdOut"
	StdErr StdHandle = "StdErr"
	StdAll StdHandle = "All"
)

// SignalProcessOptions ask for a console control event.
type SignalProcessOptions struct {
	Signal ProcessSignal `json:"Signal,omitempty"`

	Unknown Unknown `json:"-"`
}

// ProcessSignal is a console control event by its name.
type ProcessSignal string

const (
	CtrlC        ProcessSignal = "CtrlC"
	CtrlBreak    ProcessSignal = "CtrlBreak"
	CtrlClose    ProcessSignal = "CtrlClose"
	CtrlLogOff   ProcessSignal = "CtrlLogOff"
	CtrlShutdown ProcessSignal = "CtrlShutdown"
)
