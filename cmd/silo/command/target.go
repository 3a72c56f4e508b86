package command

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/siloshim/siloshim/jobobject"
)

// target is a running process, open with the access that a job needs to take it. Its pid goes to no other process.
type target struct {
	pid    uint32
	handle jobobject.Handle
	inJob  bool
}

type targets []target

func (list targets) close(k jobobject.Kernel) {
	for _, t := range list {
		_ = k.CloseHandle(t.handle) // the process is not changed by that
	}
}

// openTargets opens the processes that args name: by pid, or all of an image by its name. An error names the one that
// cannot be attached, and none is open then.
func (a *App) openTargets(args []string) (list targets, err error) {
	defer func() {
		if err != nil {
			list.close(a.Kernel)
			list = nil
		}
	}()
	seen := map[uint32]string{}
	for _, arg := range args {
		pids, byImage, err := a.pidsOf(arg)
		if err != nil {
			return list, err
		}
		for _, pid := range pids {
			if seen[pid] != "" {
				if !byImage {
					return list, fmt.Errorf("attach %s: the process was named before, as %s; name it once", arg, seen[pid])
				}
				continue
			}
			t, err := a.openTarget(pid)
			if byImage && len(pids) > 1 && errors.Is(err, jobobject.ErrNotExist) {
				continue // it ended since the list was made
			}
			if err != nil {
				return list, fmt.Errorf("attach process %d: %w", pid, err)
			}
			seen[pid] = arg
			list = append(list, t)
		}
	}
	if len(list) == 0 {
		return list, fmt.Errorf("attach %s: all these processes have ended", strings.Join(args, " "))
	}
	return list, nil
}

// pidsOf returns the process with this id, or those of an image with this name but silo itself.
func (a *App) pidsOf(arg string) (pids []uint32, byImage bool, err error) {
	if pid, err := strconv.ParseUint(arg, 10, 32); err == nil && pid > 0 {
		if pid == uint64(os.Getpid()) {
			return nil, false, fmt.Errorf("attach %s: this is silo itself; name another process", arg)
		}
		return []uint32{uint32(pid)}, false, nil
	}
	if strings.Trim(arg, "-0123456789") == "" || strings.ContainsAny(arg, `\/:`) {
		return nil, false, fmt.Errorf("attach %q: neither a process id nor the name of an image such as app.exe; tasklist lists both", arg)
	}
	all, err := a.Kernel.SystemProcesses(nil)
	if err != nil {
		return nil, true, fmt.Errorf("attach %s: list the processes: %w; name process ids instead", arg, err)
	}
	for _, p := range all {
		if (strings.EqualFold(p.Image, arg) || strings.EqualFold(p.Image, arg+".exe")) && p.Pid != uint32(os.Getpid()) {
			pids = append(pids, p.Pid)
		}
	}
	if len(pids) == 0 {
		return nil, true, fmt.Errorf("attach %q: no process has an image of this name; tasklist lists them", arg)
	}
	return pids, true, nil
}

// openTarget opens a process that has not ended.
func (a *App) openTarget(pid uint32) (t target, err error) {
	const access = jobobject.ProcessSetQuota | jobobject.ProcessTerminate | jobobject.ProcessQueryLimited
	h, err := a.Kernel.OpenProcess(pid, access)
	switch {
	case errors.Is(err, jobobject.ErrNotExist):
		return t, fmt.Errorf("no such process, %w; tasklist lists them", err)
	case errors.Is(err, jobobject.ErrPermission):
		return t, fmt.Errorf("%w; run silo as administrator; a protected process cannot be attached", err)
	case err != nil:
		return t, err
	}
	t = target{pid: pid, handle: h}
	_, exited, err := a.Kernel.ExitCode(h)
	if err == nil && exited {
		err = fmt.Errorf("it has ended: %w", jobobject.ErrNotExist)
	}
	if err == nil {
		t.inJob, err = a.Kernel.IsProcessInJob(h, 0)
	}
	if err != nil {
		return t, errors.Join(err, a.Kernel.CloseHandle(h))
	}
	return t, nil
}

// check refuses what Windows would refuse only when some of the processes are in the job.
func (list targets) check(l *jobobject.Limits) error {
	if n := len(list); l.ActiveProcesses != 0 && n > int(l.ActiveProcesses) {
		return fmt.Errorf("--max-processes %d is less than the %d processes to attach; raise it", l.ActiveProcesses, n)
	}
	for _, t := range list {
		switch {
		case t.inJob != list[0].inJob:
			in, out := t.pid, list[0].pid
			if !t.inJob {
				in, out = out, in
			}
			return fmt.Errorf("attach process %d: it is in a job, and process %d is not; attach them with a command each", in, out)
		case t.inJob && l.UI != 0:
			return fmt.Errorf("attach process %d: it is in a job, and a nested job cannot have the limits of --ui; leave --ui out", t.pid)
		}
	}
	return nil
}
