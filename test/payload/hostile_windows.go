package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"golang.org/x/sys/windows"

	"github.com/siloshim/siloshim/jobobject"
)

// attempts are what a hostile program tries. Each returns what happened, in a line without other data, and whether the
// program continues until it is ended.
var attempts = map[string]func(args []string) (what string, stay bool, err error){
	"job":       openJob,
	"loosen":    loosenJob,
	"pipe":      floodPipe,
	"squat":     squat,
	"console":   sendEvents,
	"kill":      killShim,
	"breakaway": breakAway,
	"reparent":  reparent,
	"give":      giveHandles,
	"closeown":  closeOwn,
	"image":     replaceImage,
	"fork":      fork,
	"chains":    startChains,
	"priority":  raisePriority,
	"terminate": terminateJob,
}

// hostile FILE ATTEMPT [ARG...]: tries to harm the shim, the machine or another container, and writes what happened to
// FILE, which appears when it is complete.
func hostile(args []string) (int, error) {
	if len(args) < 2 || attempts[args[1]] == nil {
		return 0, errors.New("hostile needs a file and an attempt")
	}
	what, stay, err := attempts[args[1]](args[2:])
	if err != nil {
		what = "failed: " + err.Error()
	}
	if err := os.WriteFile(args[0]+".new", []byte(what), 0o600); err != nil {
		return 0, err
	}
	if err := os.Rename(args[0]+".new", args[0]); err != nil {
		return 0, err
	}
	if stay {
		return sleep([]string{"600"})
	}
	return 0, nil
}

// result is "yes", or the error of a call that was refused.
func result(err error) string {
	if err == nil {
		return "yes"
	}
	return err.Error()
}

// openJob opens the job with every right, and keeps the handle.
func openJob(args []string) (string, bool, error) {
	job, err := jobobject.Open(args[0], jobobject.OpenOptions{Access: jobobject.AccessAll})
	held = append(held, job)
	return result(err), true, nil
}

// loosenJob raises every limit of the job.
func loosenJob(args []string) (string, bool, error) {
	job, err := jobobject.Open(args[0], jobobject.OpenOptions{Access: jobobject.AccessAll})
	if err != nil {
		return "", true, err
	}
	ctx := context.Background()
	if _, err := job.QueryLimits(ctx); err != nil {
		return "", true, err
	}
	return result(job.SetLimits(ctx, jobobject.Limits{KillOnClose: true, Breakaway: jobobject.BreakawayAlways})), true, nil
}

// terminateJob ends the job from the inside.
func terminateJob(args []string) (string, bool, error) {
	job, err := jobobject.Open(args[0], jobobject.OpenOptions{Access: jobobject.AccessAll})
	if err != nil {
		return "", true, err
	}
	return result(job.Terminate(33)), true, nil // unless it was refused, there is no result
}

// floodPipe connects to the pipe whose name is in a file, sends garbage, and keeps the connections.
func floodPipe(args []string) (string, bool, error) {
	name, err := os.ReadFile(args[0])
	if err != nil {
		return "", true, err
	}
	const most = 16
	garbage := []byte(strings.Repeat("\xff\x00garbage", 64))
	var connected int
	var refused error
	for range most {
		pipe, err := os.OpenFile(string(name), os.O_RDWR, 0)
		if err != nil {
			refused = err
			break
		}
		held = append(held, pipe)
		if _, err := pipe.Write(garbage[connected:]); err == nil {
			connected++
		}
	}
	if connected == 0 {
		return result(refused), true, nil
	}
	return "yes", true, nil
}

// held are kept open until the program ends.
var held []io.Closer

// squat takes the name of a job, or with the prefix event: that of an event.
func squat(args []string) (string, bool, error) {
	var errs []error
	for _, name := range args {
		if event, is := strings.CutPrefix(name, "event:"); is {
			p, err := windows.UTF16PtrFromString(event)
			if err == nil {
				_, err = windows.CreateEvent(nil, 0, 0, p)
			}
			errs = append(errs, err)
			continue
		}
		_, err := jobobject.Create(jobobject.Options{Name: name})
		errs = append(errs, err)
	}
	return result(errors.Join(errs...)), true, nil
}

// Console functions that x/sys/windows does not have.
//
// https://learn.microsoft.com/windows/console/attachconsole, /freeconsole and /generateconsolectrlevent
var (
	procAttachConsole = windows.NewLazySystemDLL("kernel32.dll").NewProc("AttachConsole")
	procFreeConsole   = windows.NewLazySystemDLL("kernel32.dll").NewProc("FreeConsole")
)

// sendEvents attaches to the console of the shim and sends it Ctrl+Break.
func sendEvents([]string) (string, bool, error) {
	shim := uint32(os.Getppid())
	_, _, _ = procFreeConsole.Call() // it may have none
	if ok, _, err := procAttachConsole.Call(uintptr(shim)); ok == 0 {
		return "no console: " + err.Error(), true, nil
	}
	return result(windows.GenerateConsoleCtrlEvent(windows.CTRL_BREAK_EVENT, shim)), true, nil
}

// killShim terminates the parent, while it has its job open: the kernel ends the members with the last handle.
func killShim(args []string) (string, bool, error) {
	if what, _, _ := openJob(args); what != "yes" {
		return what, true, nil
	}
	shim, err := os.FindProcess(os.Getppid())
	if err != nil {
		return "", true, err
	}
	return result(shim.Kill()), true, nil
}

// breakAway starts a process outside of the job, as far as it can by flags.
func breakAway([]string) (string, bool, error) {
	cmd, err := another("sleep", "600")
	if err != nil {
		return "", true, err
	}
	const breakawayFromJob = 0x01000000 // CREATE_BREAKAWAY_FROM_JOB
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: breakawayFromJob | windows.DETACHED_PROCESS | windows.CREATE_NEW_PROCESS_GROUP}
	return result(cmd.Start()), true, nil
}

// reparent starts a process as a child of the shim, which is outside of the job. It runs until the file exists.
func reparent(args []string) (string, bool, error) {
	cmd, err := another("await", args[0], "0")
	if err != nil {
		return "", true, err
	}
	shim, err := windows.OpenProcess(windows.PROCESS_CREATE_PROCESS|windows.PROCESS_DUP_HANDLE, false, uint32(os.Getppid()))
	if err != nil {
		return result(err), true, nil
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{ParentProcess: syscall.Handle(shim), CreationFlags: windows.DETACHED_PROCESS}
	return result(cmd.Start()), false, nil
}

// giveHandles gives the write ends of its output to the shim, which then has them until its end.
func giveHandles([]string) (string, bool, error) {
	shim, err := windows.OpenProcess(windows.PROCESS_DUP_HANDLE, false, uint32(os.Getppid()))
	if err != nil {
		return result(err), false, nil
	}
	var errs []error
	for _, f := range []*os.File{os.Stdout, os.Stderr} {
		var copied windows.Handle
		errs = append(errs, windows.DuplicateHandle(windows.CurrentProcess(), windows.Handle(f.Fd()), shim, &copied, 0, false, windows.DUPLICATE_SAME_ACCESS))
	}
	return result(errors.Join(errs...)), false, nil
}

// closeOwn closes its standard handles and stays.
func closeOwn([]string) (string, bool, error) {
	return result(errors.Join(os.Stdin.Close(), os.Stdout.Close(), os.Stderr.Close())), true, nil
}

// replaceImage renames its executable and puts another file in its place.
func replaceImage([]string) (string, bool, error) {
	self, err := os.Executable()
	if err != nil {
		return "", true, err
	}
	if err := os.Rename(self, self+".old"); err != nil {
		return result(err), true, nil
	}
	return result(os.WriteFile(self, []byte("no program"), 0o755)), true, nil
}

// fork starts as many children as the argument says, in groups and without consoles, and exits before they do.
func fork(args []string) (string, bool, error) {
	count, err := number(args, 0)
	if err != nil {
		return "", false, err
	}
	for range count {
		cmd, err := another("sleep", "600")
		if err != nil {
			return "", false, err
		}
		cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.DETACHED_PROCESS | windows.CREATE_NEW_PROCESS_GROUP}
		if err := cmd.Start(); err != nil {
			return result(err), false, nil
		}
	}
	return "yes", false, nil
}

// startChains starts as many chains of processes as the argument says. Their members are new ones at every moment.
func startChains(args []string) (string, bool, error) {
	count, err := number(args, 0)
	if err != nil {
		return "", true, err
	}
	for range count {
		cmd, err := another("chain")
		if err != nil {
			return "", true, err
		}
		if err := cmd.Start(); err != nil {
			return result(err), true, nil
		}
	}
	return "yes", true, nil
}

// raisePriority takes the highest priority and one processor.
func raisePriority([]string) (string, bool, error) {
	return result(windows.SetPriorityClass(windows.CurrentProcess(), windows.REALTIME_PRIORITY_CLASS)), true, nil
}

// another prepares this program with another mode, without its streams.
func another(args ...string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return exec.Command(self, args...), nil
}
