package jobobject_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/siloshim/siloshim/jobobject"
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
	cmd := exec.CommandContext(t.Context(), exe, "-test.v", "-test.count=1", "-test.timeout=1m", "-test.run="+name)
	cmd.Env = append(os.Environ(), detachedKey+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.DETACHED_PROCESS}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("in a process without a console: %v\n%s", err, out)
	}
	return false
}

var kernel32 = windows.NewLazySystemDLL("kernel32.dll")

// raiserKey is in the environment of a test binary that, for each line of its input, sends Ctrl+C to all processes on its
// console.
const raiserKey = "SILO_TEST_RAISER"

func raiseOnRequest() {
	handler := windows.NewCallback(func(uintptr) uintptr { return 1 }) // it survives
	if r, _, err := kernel32.NewProc("SetConsoleCtrlHandler").Call(handler, 1); r == 0 {
		panic(err)
	}
	fmt.Println("ready")
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		if err := windows.GenerateConsoleCtrlEvent(windows.CTRL_C_EVENT, 0); err != nil {
			panic(err)
		}
	}
}

// A program sends Ctrl+C to its console during an attachment. This process survives it, and the programs that it started
// before and then do not ignore it.
func TestStart_ConsoleOfProcessThatSendsEvents_OnlyProgramsReceiveThem(t *testing.T) {
	e := system(t)
	if !e.withoutConsole(t) {
		return
	}
	j := e.create(t, jobobject.Options{KillOnClose: true})
	o := e.options()
	o.Env, o.Stderr = append(os.Environ(), raiserKey+"=1"), os.Stderr
	raiser, _ := startPrinting(t, j, o, 1)
	for range 3 {
		listener := e.startOn(t, j, raiser.first, 1, "event").first
		detach, ok := jobobject.Attach(raiser.first)
		if !ok {
			t.Fatal("this process was not attached to the console")
		}
		if _, err := fmt.Fprintln(raiser.stdin); err != nil {
			t.Fatal(err)
		}
		if code := wait(t, listener); code != 40+uint32(jobobject.CtrlC) {
			t.Errorf("exit code %#x of a program that waits for the event, want %d", code, 40+uint32(jobobject.CtrlC))
		}
		detach()
		raiseHere(t, jobobject.CtrlC)
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
		jobobject.LockAttachment()() // after the attachment
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
	jobobject.LockAttachment()() // after its end
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
