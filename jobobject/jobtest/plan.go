package jobtest

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/siloshim/siloshim/jobobject"
)

// plan is what is to go wrong, and the record of what was called. A kind of call
// is the name of a [jobobject.Kernel] method. SetLimits and QueryLimits are of a
// second kind as well: the name, a space and the part, as in
// "SetLimits processor rate".
type plan struct {
	calls  map[string]int
	faults []*fault
}

// fault fails calls of one kind: after skip of them, times of them.
type fault struct {
	kind        string
	skip, times int // negative times mean always
	err         error
}

// Fail makes the next calls of kind fail with err before they do anything; a
// negative number of times means all of them. It replaces what was planned for
// kind before.
func (k *Kernel) Fail(kind string, times int, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	checkKind(kind)
	k.plan.faults = slices.DeleteFunc(k.plan.faults, func(f *fault) bool { return f.kind == kind })
	k.plan.faults = append(k.plan.faults, &fault{kind: kind, times: times, err: err})
}

// FailNth makes the nth call of kind from now fail with err; 1 is the next. It
// adds to what was planned for kind before.
func (k *Kernel) FailNth(kind string, nth int, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	checkKind(kind)
	k.plan.faults = append(k.plan.faults, &fault{kind: kind, skip: nth - 1, times: 1, err: err})
}

// Calls tells how often calls of kind were made.
func (k *Kernel) Calls(kind string) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	checkKind(kind)
	return k.plan.calls[kind]
}

// AllCalls returns the number of calls made, by method, since the start or the
// last [Kernel.ResetCalls].
func (k *Kernel) AllCalls() map[string]int {
	k.mu.Lock()
	defer k.mu.Unlock()
	calls := maps.Clone(k.plan.calls)
	maps.DeleteFunc(calls, func(kind string, _ int) bool { return strings.Contains(kind, " ") })
	return calls
}

// ResetCalls starts the counts of calls anew.
func (k *Kernel) ResetCalls() {
	k.mu.Lock()
	defer k.mu.Unlock()
	clear(k.plan.calls)
}

// checkKind panics for a kind that there is not: a fault planned for it would
// never come, and the test that waits for it would prove nothing.
func checkKind(kind string) {
	method, _, _ := strings.Cut(kind, " ")
	if _, ok := reflect.TypeFor[jobobject.Kernel]().MethodByName(method); !ok {
		panic("jobtest: the kernel has no call " + kind)
	}
}

// enterLocked counts a call of kind, and fails it if a fault is due.
func (k *Kernel) enterLocked(kind string) error {
	k.plan.calls[kind]++
	var err error
	for _, f := range k.plan.faults {
		if f.kind != kind || f.times == 0 {
			continue
		}
		if f.skip > 0 {
			f.skip--
			continue
		}
		f.times--
		if err == nil {
			err = f.err
		}
	}
	return err
}
