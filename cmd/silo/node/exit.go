package node

import (
	"fmt"
	"time"
)

// Exit is how a container has ended.
type Exit struct {
	Code   uint32    `json:"code"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
	Error  string    `json:"error,omitempty"` // why it was not started
}

// meanings has the exit codes of Windows, of language runtimes and of silo.
//
// https://learn.microsoft.com/openspecs/windows_protocols/ms-erref/596a1078-e883-4972-9bbc-49e60bebca55
var meanings = map[uint32]string{
	0:          "success",
	killedCode: "terminated, as by silo kill",
	0x40010004: "ended by a debugger",
	0x80000003: "breakpoint without a debugger",
	0xC0000005: "access violation",
	0xC0000017: "out of memory",
	0xC000001D: "illegal instruction",
	0xC00000FD: "stack overflow",
	0xC000012D: "commitment limit: the machine or the job has no more memory",
	0xC0000135: "a DLL was not found",
	0xC0000139: "an entry point of a DLL was not found",
	0xC000013A: "ended by Ctrl+C or Ctrl+Break",
	0xC0000142: "a DLL could not be initialised",
	0xC0000374: "heap corruption",
	0xC0000409: "fail fast, such as a stack buffer overrun",
	0xE0434352: "an unhandled exception of .NET",
	0xE06D7363: "an unhandled exception of C++",
}

// Outcome is the reason, in one word. The supervisor sees the end by silo kill, or by another process, as an exit.
func (e *Exit) Outcome() string {
	if e.Reason == "exited" && e.Code == killedCode {
		return "killed"
	}
	return e.Reason
}

// killedCode is the exit code of a program that silo terminates.
const killedCode = 137

// Meaning describes the code, or is empty where only the program defines it.
func (e *Exit) Meaning() string {
	switch e.Reason {
	case "timeout":
		return "--timeout ended it"
	case "killed":
		return "it was terminated, as by silo kill, or because it did not exit after the stop signals"
	case "not started":
		return "it could not be started"
	case "memory":
		return "it ended after the memory limit refused it an allocation"
	}
	meaning := meanings[e.Code]
	if e.Code > 0xFFFF && meaning != "" {
		meaning = fmt.Sprintf("%s (0x%08X)", meaning, e.Code) // as it is looked up
	}
	return meaning
}
