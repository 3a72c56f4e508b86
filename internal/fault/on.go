//go:build faults

package fault

import (
	"os"
	"strings"
	"sync/atomic"
)

// Enabled tells whether this build has the points.
const Enabled = true

// LastEnv names the environment variable with the point at which a process that was started for it ends at once: its
// name, a colon, and "before" or "after".
const LastEnv = "SILO_LAST_CALL"

// Plan makes a call, or does not. It is called on the goroutine of the call, at any time from several.
type Plan func(name string, call func() (any, error)) (any, error)

var plan atomic.Pointer[Plan]

// Set puts p into force for the whole process until restore is called.
func Set(p Plan) (restore func()) {
	before := plan.Swap(&p)
	return func() { plan.Store(before) }
}

// Do makes a call that goes by a name, as the plan has it.
func Do[T any](name string, call func() (T, error)) (T, error) {
	last, when, _ := strings.Cut(os.Getenv(LastEnv), ":")
	if last == name && when == "before" {
		os.Exit(int(died))
	}
	p := plan.Load()
	if p == nil {
		v, err := call()
		if last == name && when == "after" {
			os.Exit(int(died))
		}
		return v, err
	}
	v, err := (*p)(name, func() (any, error) { return call() })
	typed, _ := v.(T) // a call that was not made has nothing
	return typed, err
}

// died is the status of a process that ended at a point.
const died = 3

// Call is [Do] for a call that answers nothing.
func Call(name string, call func() error) error {
	_, err := Do(name, func() (struct{}, error) { return struct{}{}, call() })
	return err
}
