package jobtest

import (
	"slices"
	"strings"

	"github.com/siloshim/siloshim/jobobject"
)

// What every simulated process shares with others, and what it has open.
const (
	sharedWorkingSet = 256 << 10
	startHandles     = 40
)

// ProcessMemory implements [jobobject.Kernel].
func (k *Kernel) ProcessMemory(h jobobject.Handle) (jobobject.ProcessMemory, error) {
	return ofProcess(k, "ProcessMemory", h, func(p *Proc) jobobject.ProcessMemory { return p.memoryLocked() })
}

// ProcessTimes implements [jobobject.Kernel].
func (k *Kernel) ProcessTimes(h jobobject.Handle) (jobobject.ProcessTimes, error) {
	return ofProcess(k, "ProcessTimes", h, func(p *Proc) jobobject.ProcessTimes { return p.timesLocked() })
}

// ProcessImage implements [jobobject.Kernel].
func (k *Kernel) ProcessImage(h jobobject.Handle) (string, error) {
	return ofProcess(k, "ProcessImage", h, (*Proc).image)
}

// ProcessParent implements [jobobject.Kernel].
func (k *Kernel) ProcessParent(h jobobject.Handle) (uint32, error) {
	return ofProcess(k, "ProcessParent", h, (*Proc).Parent)
}

// ProcessHandles implements [jobobject.Kernel].
func (k *Kernel) ProcessHandles(h jobobject.Handle) (uint32, error) {
	return ofProcess(k, "ProcessHandles", h, func(p *Proc) uint32 {
		if p.over {
			return 0
		}
		return startHandles
	})
}

// SystemProcesses implements [jobobject.Kernel]. The list is by pid.
func (k *Kernel) SystemProcesses(list []jobobject.SystemProcess) ([]jobobject.SystemProcess, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.enterLocked("SystemProcesses"); err != nil {
		return list, err
	}
	have := len(list)
	for _, p := range k.procs {
		if p.over {
			continue // kept for those who have it open
		}
		list = append(list, jobobject.SystemProcess{
			Pid: p.pid, Parent: p.parent, Image: p.image(), Threads: 1, Handles: startHandles,
			Times: p.timesLocked(), Memory: p.memoryLocked(),
		})
	}
	slices.SortFunc(list[have:], func(a, b jobobject.SystemProcess) int { return int(a.Pid) - int(b.Pid) })
	return list, nil
}

// ofProcess answers a question about the process behind h.
func ofProcess[T any](k *Kernel, op string, h jobobject.Handle, ask func(*Proc) T) (T, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	p, err := lookLocked[*Proc](k, op, h, uint32(jobobject.ProcessQueryLimited))
	if err != nil {
		var zero T
		return zero, err
	}
	return ask(p), nil
}

func (p *Proc) memoryLocked() jobobject.ProcessMemory {
	if p.over {
		return jobobject.ProcessMemory{PrivateKnown: true}
	}
	return jobobject.ProcessMemory{
		Commit: p.commit, WorkingSet: p.working + sharedWorkingSet, PrivateWorkingSet: p.working,
		PageFaults: p.usage.faults, PrivateKnown: true,
	}
}

func (p *Proc) timesLocked() jobobject.ProcessTimes {
	return jobobject.ProcessTimes{Created: p.born, User: p.usage.user, Kernel: p.usage.kernel}
}

// image is the last element of the path that the process was started by.
func (p *Proc) image() string {
	if len(p.Args) == 0 {
		return ""
	}
	return p.Args[0][strings.LastIndexAny(p.Args[0], `\/`)+1:]
}
