// Package task is the state machine behind containerd's Task API: one [Task] for a container, one
// [Process] for its init and for each exec.
//
// A process goes through the states of the table in state.go. One goroutine runs it:
//
//	start -> emit started -> wait -> end the rest -> drain stdio -> emit exit -> close done
//
// so a start is always announced before its exit, and everything that waits learns of the exit after
// the output has been delivered. No other goroutine watches the process.
//
// The package knows neither kernel nor pipe. Package container says what it needs of the one, iface.go what
// of the other, which shim/stdio is. No call to them is made while a lock is held. An event is: it must not block, and what is
// announced of a task has to come in the order in which it happened.
package task
