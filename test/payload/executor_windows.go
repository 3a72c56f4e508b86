package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/siloshim/siloshim/jobobject"
)

// executor KILLTIMEOUT PROGRAM [ARG...]: runs a program as Nomad's executor does, in a new process group, and in a job that
// ends all of its processes with the executor. A line of input is the stop: Ctrl+Break, and TerminateProcess after
// KILLTIMEOUT. It prints its pid, then the exit code or "killed", and runs until its input ends.
func executor(args []string) (int, error) {
	if len(args) < 2 {
		return 0, errors.New("executor needs a time and a program")
	}
	killTimeout, err := time.ParseDuration(args[0])
	if err != nil {
		return 0, err
	}
	if err := enterJob(); err != nil {
		return 0, fmt.Errorf("the job of the executor: %w", err)
	}
	cmd := exec.Command(args[1], args[2:]...)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	fmt.Println(os.Getpid())
	ended := make(chan string, 1)
	go func() {
		err := cmd.Wait()
		if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
			ended <- err.Error()
			return
		}
		ended <- fmt.Sprint(cmd.ProcessState.ExitCode())
	}()
	orders, stop := bufio.NewScanner(os.Stdin), make(chan struct{}, 1)
	over := make(chan struct{})
	go func() {
		for orders.Scan() {
			stop <- struct{}{}
		}
		close(over)
	}()
	select {
	case how := <-ended:
		fmt.Println(how)
	case <-stop:
		if err := ctrlBreak(cmd.Process.Pid); err != nil {
			return 0, fmt.Errorf("send Ctrl+Break: %w", err)
		}
		select {
		case how := <-ended:
			fmt.Println(how)
		case <-time.After(killTimeout):
			if err := cmd.Process.Kill(); err != nil {
				return 0, err
			}
			<-ended
			fmt.Println("killed")
		}
	}
	<-over
	return 0, nil
}

// ctrlBreak sends Ctrl+Break to the process group of a program. Wine has no console without a display, and the program gets
// the event as the console's would arrive: by a thread at the same function. The group has no other process that shares the
// console, since silo gives its programs another one.
func ctrlBreak(pid int) error {
	err := windows.GenerateConsoleCtrlEvent(windows.CTRL_BREAK_EVENT, uint32(pid))
	if err == nil {
		return nil
	}
	const access = windows.PROCESS_CREATE_THREAD | windows.PROCESS_QUERY_INFORMATION | windows.PROCESS_VM_OPERATION | windows.PROCESS_VM_WRITE | windows.PROCESS_VM_READ
	process, openErr := windows.OpenProcess(access, false, uint32(pid))
	if openErr != nil {
		return errors.Join(err, openErr)
	}
	defer func() { _ = windows.CloseHandle(process) }()
	if signalErr := jobobject.System().SignalProcess(jobobject.Handle(process), jobobject.CtrlBreak); signalErr != nil {
		return errors.Join(err, signalErr)
	}
	return nil
}

// enterJob puts this process into a job with kill-on-close. Its only handle is open until this process ends.
func enterJob() error {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return err
	}
	limits := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{}
	limits.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
	_, err = windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&limits)), uint32(unsafe.Sizeof(limits)))
	if err != nil {
		return err
	}
	return windows.AssignProcessToJobObject(job, windows.CurrentProcess())
}
