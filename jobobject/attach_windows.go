package jobobject

import (
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/windows"
)

var (
	procAttachConsole         = modkernel32.NewProc("AttachConsole")
	procFreeConsole           = modkernel32.NewProc("FreeConsole")
	procSetConsoleCtrlHandler = modkernel32.NewProc("SetConsoleCtrlHandler")
)

// attachTimeout bounds the wait for the console host, which a program in the job can suspend, and for other attachments.
const attachTimeout = 2 * time.Second

// consoleLock is locked while this process is attached to a console of others, and while it ends a job: the console host
// can be a member, and Windows may end the processes on a console with its host. A process has at most one console.
type consoleLock struct {
	sem chan struct{}
	// stuck is set when a holder exceeds attachTimeout. Others do not wait for it then.
	stuck atomic.Bool
}

var attachment = newConsoleLock()

func newConsoleLock() *consoleLock { return &consoleLock{sem: make(chan struct{}, 1)} }

// lock returns false if the lock is not free within attachTimeout.
func (l *consoleLock) lock() bool {
	select {
	case l.sem <- struct{}{}:
		return true
	default:
	}
	if l.stuck.Load() {
		return false
	}
	timeout := time.NewTimer(attachTimeout)
	defer timeout.Stop()
	select {
	case l.sem <- struct{}{}:
		return true
	case <-timeout.C:
		l.stuck.Store(true)
		return false
	}
}

func (l *consoleLock) unlock() {
	l.stuck.Store(false)
	<-l.sem
}

// attach attaches this process to the console of p, until detach is called. It returns false if p has no console or has
// ended, if this process has a console already, if Windows refuses, or after attachTimeout.
func attach(p *Process) (detach func(), ok bool) {
	if p == nil || !attachment.lock() {
		return nil, false
	}
	detach = func() {
		freeConsole()
		attachment.unlock()
	}
	result := make(chan bool, 1)
	go func() { result <- attachConsole(p.pid) }()
	timeout := time.NewTimer(attachTimeout)
	defer timeout.Stop()
	select {
	case attached := <-result:
		if !attached {
			attachment.unlock()
			return nil, false
		}
		return detach, true
	case <-timeout.C:
		attachment.stuck.Store(true)
		go func() {
			if <-result {
				detach()
			} else {
				attachment.unlock()
			}
		}()
		return nil, false
	}
}

// streams are the standard handles of this process, which AttachConsole and FreeConsole may change. Go's runtime reports
// a crash to the third.
var streams = [...]uint32{windows.STD_INPUT_HANDLE, windows.STD_OUTPUT_HANDLE, windows.STD_ERROR_HANDLE}

// kept has the standard handles during an attachment. It is guarded by the lock.
var kept [len(streams)]windows.Handle

// BOOL AttachConsole(DWORD dwProcessId)
//
// https://learn.microsoft.com/windows/console/attachconsole
func attachConsole(pid uint32) bool {
	for i, stream := range streams {
		kept[i], _ = windows.GetStdHandle(stream) // none is 0
	}
	r, _, _ := procAttachConsole.Call(uintptr(pid))
	if r == 0 {
		return false
	}
	handleEvents()
	return true
}

// BOOL FreeConsole(void)
//
// https://learn.microsoft.com/windows/console/freeconsole
func freeConsole() {
	_, _, _ = procFreeConsole.Call() // it fails only without a console
	for i, stream := range streams {
		_ = windows.SetStdHandle(stream, kept[i]) // it writes to the memory of this process
	}
	handleEvents()
}

// handleEvents registers handleEvent. AttachConsole and FreeConsole remove all handlers, so each is followed by a call:
// the event of a console can arrive after FreeConsole. It does not use SetConsoleCtrlHandler(NULL, TRUE), which child
// processes inherit.
//
// BOOL SetConsoleCtrlHandler(PHANDLER_ROUTINE HandlerRoutine, BOOL Add)
//
// https://learn.microsoft.com/windows/console/setconsolectrlhandler
// https://learn.microsoft.com/windows/console/registering-a-control-handler-function
func handleEvents() {
	const remove, add = 0, 1
	// The table can have it already where nothing removes it.
	_, _, _ = procSetConsoleCtrlHandler.Call(eventHandler(), remove)
	_, _, _ = procSetConsoleCtrlHandler.Call(eventHandler(), add)
}

// eventHandler is the one callback for events: Go never frees a callback.
var eventHandler = sync.OnceValue(func() uintptr { return windows.NewCallback(handleEvent) })

// handleEvent ignores the events that are meant for the programs on a console. This process has no console otherwise,
// so it gets no other events. The process ends when a handler of CTRL_CLOSE_EVENT returns, and after some seconds anyway; until
// then it may detach.
//
// BOOL WINAPI HandlerRoutine(DWORD dwCtrlType)
//
// https://learn.microsoft.com/windows/console/handlerroutine
// https://learn.microsoft.com/windows/console/ctrl-close-signal
func handleEvent(event uintptr) uintptr {
	const unhandled, handled = 0, 1
	switch ConsoleEvent(event) {
	case CtrlC, CtrlBreak:
		return handled
	case CtrlClose:
		windows.SleepEx(windows.INFINITE, false)
	}
	return unhandled
}
