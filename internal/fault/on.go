//go:build faults

package fault

import (
	"os"
	"strings"
	"sync/atomic"
)

// Enabled reports whether this build has fault points.
const Enabled = true

// LastEnv is the environment variable with the fault point where a process exits: its name, a colon, and "before" or
// "after".
const LastEnv = "SILO_LAST_CALL"

// Plan makes the call of a fault point, or does something else. It is called concurrently.
type Plan func(name string, call func() (any, error)) (any, error)

var plan atomic.Pointer[Plan]

// Set makes p the plan of the process until restore is called.
func Set(p Plan) (restore func()) {
	before := plan.Swap(&p)
	return func() { plan.Store(before) }
}

// Do makes the call of a fault point, according to the plan.
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
	typed, _ := v.(T) // nil if the call was not made
	return typed, err
}

// died is the exit status at the point of LastEnv.
const died = 3

// Call is [Do] for a call without a result.
func Call(name string, call func() error) error {
	_, err := Do(name, func() (struct{}, error) { return struct{}{}, call() })
	return err
}
