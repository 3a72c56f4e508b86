package jobobject_test

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// detachedKey is in the environment of a test binary that was started without a console.
const detachedKey = "SILO_TEST_DETACHED"

func init() { withoutConsole = runDetached }

// runDetached runs the calling test in another process, which has no console. In that process it returns true.
func runDetached(t testing.TB) bool {
	t.Helper()
	if os.Getenv(detachedKey) != "" {
		return true
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	name := "^" + strings.ReplaceAll(t.Name(), "/", "$/^") + "$"
	cmd := exec.CommandContext(t.Context(), exe, "-test.v", "-test.count=1", "-test.run="+name)
	cmd.Env = append(os.Environ(), detachedKey+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.DETACHED_PROCESS}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("in a process without a console: %v\n%s", err, out)
	}
	return false
}

var kernel32 = windows.NewLazySystemDLL("kernel32.dll")

// raiserKey is in the environment of a test binary that does nothing but send Ctrl+C to all processes on its console.
const raiserKey = "SILO_TEST_RAISER"

func raiseForever() {
	ignore := windows.NewCallback(func(uintptr) uintptr { return 1 })
	if r, _, err := kernel32.NewProc("SetConsoleCtrlHandler").Call(ignore, 1); r == 0 {
		panic(err)
	}
	for fmt.Println("ready"); ; time.Sleep(time.Millisecond) { // a pace, no synchronisation
		if err := windows.GenerateConsoleCtrlEvent(windows.CTRL_C_EVENT, 0); err != nil {
			panic(err)
		}
	}
}

// startRaiser starts a process that sends events until the test ends.
func (e environment) startRaiser(t testing.TB, j *jobobject.Job) *jobobject.Process {
	t.Helper()
	o := e.options()
	o.Env = append(os.Environ(), raiserKey+"=1")
	raiser, _ := startPrinting(t, j, o, 1)
	return raiser.first
}

// A program on the console sends Ctrl+C all the time. This process survives it, and the processes that it starts do not
// ignore it.
func TestStart_ConsoleOfProcessThatSendsEvents_OnlyProgramsReceiveThem(t *testing.T) {
	e := system(t)
	if !e.withoutConsole(t) {
		return
	}
	j := e.create(t, jobobject.Options{KillOnClose: true})
	raiser := e.startRaiser(t, j)
	for range 15 {
		o := e.options("event") // it has no other end
		o.ConsoleOf = raiser
		switch code := wait(t, start(t, j, o)); code {
		case 40 + uint32(jobobject.CtrlC), jobtest.StatusControlCExit: // the second before it has a handler
		default:
			t.Errorf("exit code %#x, want that of an event", code)
		}
	}
}

// raiseHere runs the thread that the console system starts for an event, and returns when it has ended.
func raiseHere(t *testing.T, event jobobject.ConsoleEvent) {
	t.Helper()
	thread, _, err := kernel32.NewProc("CreateRemoteThread").Call(uintptr(windows.CurrentProcess()), 0, 0,
		kernel32.NewProc("CtrlRoutine").Addr(), uintptr(event), 0, 0)
	if thread == 0 {
		t.Fatal(err)
	}
	defer windows.CloseHandle(windows.Handle(thread))
	if _, err := windows.WaitForSingleObject(windows.Handle(thread), windows.INFINITE); err != nil {
		t.Fatal(err)
	}
}

func TestStart_ConsoleOf_LateEventsAreIgnored(t *testing.T) {
	e := system(t)
	if !e.withoutConsole(t) {
		return
	}
	j := e.create(t, jobobject.Options{KillOnClose: true})
	first := e.startTree(t, j, 1)
	for range 2 {
		e.startOn(t, j, first.first, 1, "tree", "1")
		raiseHere(t, jobobject.CtrlC)
		raiseHere(t, jobobject.CtrlBreak)
	}
}

func TestStart_ConsoleOf_CallerKeepsItsStreams(t *testing.T) {
	e := system(t)
	if !e.withoutConsole(t) {
		return
	}
	streams := func() (list [3]windows.Handle) {
		for i, name := range []uint32{windows.STD_INPUT_HANDLE, windows.STD_OUTPUT_HANDLE, windows.STD_ERROR_HANDLE} {
			list[i], _ = windows.GetStdHandle(name)
		}
		return list
	}
	j := e.create(t, jobobject.Options{KillOnClose: true})
	first, before := e.startTree(t, j, 1), streams()
	e.startOn(t, j, first.first, 1, "tree", "1")
	if after := streams(); after != before || before[1] == 0 {
		t.Errorf("standard handles %v, want %v", after, before)
	}
}

func TestStart_ConsoleOfAndCallerHasAConsole_NewConsole(t *testing.T) {
	e := system(t)
	if !e.withoutConsole(t) {
		return
	}
	if r, _, err := kernel32.NewProc("AllocConsole").Call(); r == 0 {
		t.Fatal(err)
	}
	j := e.create(t, jobobject.Options{KillOnClose: true})
	first := e.startTree(t, j, 1)
	pids, err := j.Pids()
	if err != nil {
		t.Fatal(err)
	}
	e.startOn(t, j, first.first, 1, "tree", "1")
	wantMemberCount(t, j, "on a new console", 2*len(pids))
	var list [8]uint32
	r, _, err := kernel32.NewProc("GetConsoleProcessList").Call(uintptr(unsafe.Pointer(&list)), uintptr(len(list)))
	if r == 0 || !slices.Contains(list[:], windows.GetCurrentProcessId()) {
		t.Errorf("processes on the console of this process: %v, %v; want this one", list[:r], err)
	}
}

// An attachment that does not end delays others for a bounded time.
func TestStart_ConsoleOfAndAttachmentHangs_NewConsole(t *testing.T) {
	e := system(t)
	if !e.withoutConsole(t) {
		return
	}
	j := e.create(t, jobobject.Options{KillOnClose: true})
	first := e.startTree(t, j, 1)
	pids, err := j.Pids()
	if err != nil {
		t.Fatal(err)
	}
	release := jobobject.LockAttachment()
	e.startOn(t, j, first.first, 1, "tree", "1")
	wantMemberCount(t, j, "during the attachment", 2*len(pids))
	if err := j.Terminate(1); err != nil {
		t.Errorf("terminate during the attachment: %v", err)
	}
	release()

	awaitMembers(t, j, 0)
	first = e.startTree(t, j, 1)
	e.startOn(t, j, first.first, 1, "tree", "1")
	wantMemberCount(t, j, "after the attachment", 1+len(pids))
}
