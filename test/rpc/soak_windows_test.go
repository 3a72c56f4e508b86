package rpc

import (
	"encoding/json"
	"flag"
	"fmt"
	"testing"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/siloshim/siloshim/test/handles"
	"github.com/siloshim/siloshim/test/workload"
)

var soakExecs = flag.Int("soak", 20, "execs of the soak")

// spawn creates an exec of the payload and does not start it.
func (s *shim) spawn(t *testing.T, id string, args ...string) {
	t.Helper()
	value, err := json.Marshal(workload.Spec(args...).Process)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Exec(t.Context(), &api.ExecProcessRequest{ID: s.id, ExecID: id, Spec: &anypb.Any{Value: value}}); err != nil {
		t.Fatal(err)
	}
}

// openHandles counts the handles of the shim.
func openHandles(t *testing.T, pid uint32) handles.Counts {
	t.Helper()
	counts, err := handles.Of(pid)
	if err != nil {
		t.Fatal(err)
	}
	return counts
}

// perThread bounds the handles of a thread of the Go runtime: the thread, and the events and timers that it waits with. Seven
// were counted on Wine.
const perThread = 8

// looks is how often the handles are counted before a difference is a leak.
const looks = 100

// A real shim keeps no handle of its execs.
func TestSoak(t *testing.T) {
	s := newShim(t, workload.Spec("sleep", "86400"))
	s.create(t, "")
	s.start(t, "")
	answer, err := s.Connect(t.Context(), &api.ConnectRequest{ID: s.id})
	if err != nil {
		t.Fatal(err)
	}
	soak := func(id string) {
		s.spawn(t, id, "exit", "7")
		s.start(t, id)
		s.ends(t, id, 7)
	}
	for i := range 10 {
		soak(fmt.Sprintf("warm%d", i))
	}
	before := openHandles(t, answer.ShimPid)
	for i := range *soakExecs {
		soak(fmt.Sprintf("e%d", i))
	}
	after := openHandles(t, answer.ShimPid)
	for range looks { // the shim may still be closing some
		if after.Others().Above(before) == nil {
			break
		}
		after = openHandles(t, answer.ShimPid)
	}
	t.Logf("%d execs: %v before, %v after", *soakExecs, before, after)
	if before["Process"] == 0 {
		t.Fatal("the system lists no handle of the shim")
	}
	if above := after.Others().Above(before); above != nil {
		t.Errorf("handles remain: %v; before %v", above, before)
	}
	// One more thread is allowed: a thread creates its events when it first waits, which may be after the first count. One
	// event kept for each exec would be more than that.
	if spare := perThread * (1 + max(0, after["Thread"]-before["Thread"])); after.Threads() > before.Threads()+spare {
		t.Errorf("%d threads have %d handles, %d had %d", after["Thread"], after.Threads(), before["Thread"], before.Threads())
	}
	s.kill(t, "", 9)
	s.ends(t, "", 137)
}
