package rpc

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"testing"
	"unsafe"

	api "github.com/containerd/containerd/api/runtime/task/v3"
	"golang.org/x/sys/windows"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/siloshim/siloshim/test/workload"
)

var soakExecs = flag.Int("soak", 20, "execs of the soak")

// spawn adds an exec of the payload, which is not started yet.
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

// systemHandle is SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX. The list of them follows their number and a reserved word.
type systemHandle struct {
	object, pid, handle   uintptr
	access                uint32
	backtrace, objectType uint16
	attributes, reserved  uint32
}

// handles counts what a process has open, in the system's list of all handles: Wine answers no other question.
//
// https://learn.microsoft.com/windows/win32/api/winternl/nf-winternl-ntquerysysteminformation
func handles(t *testing.T, pid uint32) (n int) {
	t.Helper()
	const head = 2 * unsafe.Sizeof(uintptr(0))
	list := make([]uintptr, 1<<14)
	for {
		size := uint32(len(list)) * uint32(unsafe.Sizeof(list[0]))
		err := windows.NtQuerySystemInformation(windows.SystemExtendedHandleInformation, unsafe.Pointer(&list[0]), size, nil)
		if err == nil {
			break
		}
		if !errors.Is(err, windows.STATUS_INFO_LENGTH_MISMATCH) || len(list) > 1<<24 {
			t.Fatalf("%d words: %v", len(list), err)
		}
		list = make([]uintptr, 2*len(list))
	}
	first := (*systemHandle)(unsafe.Add(unsafe.Pointer(&list[0]), head))
	for _, h := range unsafe.Slice(first, list[0]) {
		if h.pid == uintptr(pid) {
			n++
		}
	}
	return n
}

// threads counts the shim's threads: the Go runtime starts them as it needs them and keeps them, with a few handles
// each.
func threads(t *testing.T, pid uint32) (n int) {
	t.Helper()
	list, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPTHREAD, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer windows.CloseHandle(list)
	e := windows.ThreadEntry32{Size: uint32(unsafe.Sizeof(windows.ThreadEntry32{}))}
	for err := windows.Thread32First(list, &e); err == nil; err = windows.Thread32Next(list, &e) {
		if e.OwnerProcessID == pid {
			n++
		}
	}
	return n
}

// perThread bounds the handles of a thread of the Go runtime: itself, and the events and timers that it waits with. Seven
// were counted on Wine.
const perThread = 8

// TestSoak runs execs through a real shim. It keeps no handle for any of them.
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
	before, ran := handles(t, answer.ShimPid), threads(t, answer.ShimPid)
	for i := range *soakExecs {
		soak(fmt.Sprintf("e%d", i))
	}
	after, run := handles(t, answer.ShimPid), threads(t, answer.ShimPid)
	t.Logf("%d execs: %d handles and %d threads before, %d and %d after", *soakExecs, before, ran, after, run)
	if before == 0 {
		t.Fatal("the system's list has none of the shim's handles")
	}
	// One more thread's worth: a thread makes its events when it first waits, which may be after the first count. A handle
	// kept for each exec is more than that.
	if after > before+perThread*(1+max(0, run-ran)) {
		t.Errorf("%d handles are open, %d were before, in %d threads and %d", after, before, run, ran)
	}
	s.kill(t, "", 9)
	s.ends(t, "", 137)
}
