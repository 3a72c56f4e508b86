package probe

import (
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// cpuTime is the processor time of a process, by GetProcessTimes.
func cpuTime(h windows.Handle) (time.Duration, error) {
	var created, ended, kernel, user windows.Filetime
	err := windows.GetProcessTimes(h, &created, &ended, &kernel, &user)
	return ticks(kernel) + ticks(user), err
}

func ticks(f windows.Filetime) time.Duration {
	return time.Duration(int64(f.HighDateTime)<<32|int64(f.LowDateTime)) * 100
}

// One child uses a processor, and one waits, as the caller does.
func TestProcessTimes_OfAChild_NotTheCallers(t *testing.T) {
	spin, idle := open(t, child(t, "spin").Process.Pid), open(t, child(t, "idle").Process.Pid)
	const much = 500 * time.Millisecond
	before, err := cpuTime(windows.CurrentProcess())
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "half a second of the spinning child", func() (bool, error) {
		used, err := cpuTime(spin)
		return used >= much, err
	})
	if used, err := cpuTime(idle); err != nil || used >= much {
		t.Errorf("the idle child used %v, %v", used, err)
	}
	if used, err := cpuTime(windows.CurrentProcess()); err != nil || used-before >= much {
		t.Errorf("the caller used %v meanwhile, %v", used-before, err)
	}
}

// The times of a process that were seen once are not lower after its exit.
func TestProcessTimes_ChildExited_AreKept(t *testing.T) {
	cmd := child(t, "spin")
	h := open(t, cmd.Process.Pid)
	var seen time.Duration
	eventually(t, "some time of the child", func() (bool, error) {
		used, err := cpuTime(h)
		seen = used
		return used > 0, err
	})
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	if used, err := cpuTime(h); err != nil || used < seen {
		t.Errorf("after the exit the child has used %v, %v; before, %v", used, err, seen)
	}
}

// counters is VM_COUNTERS_EX2.
type counters struct {
	PeakVirtualSize, VirtualSize                   uintptr
	PageFaultCount                                 uint32
	PeakWorkingSetSize, WorkingSetSize             uintptr
	Quota                                          [4]uintptr
	PagefileUsage, PeakPagefileUsage, PrivateUsage uintptr
	PrivateWorkingSetSize, SharedCommitUsage       uintptr
}

func TestProcessMemory_PrivateWorkingSet_WithinWorkingSet(t *testing.T) {
	h := open(t, child(t, "idle").Process.Pid)
	eventually(t, "private working set", func() (bool, error) {
		var c counters
		err := windows.NtQueryInformationProcess(h, windows.ProcessVmCounters, unsafe.Pointer(&c), uint32(unsafe.Sizeof(c)), nil)
		if c.PrivateWorkingSetSize > c.WorkingSetSize {
			t.Errorf("private working set %d of a working set of %d", c.PrivateWorkingSetSize, c.WorkingSetSize)
		}
		return c.PrivateWorkingSetSize > 0, err
	})
}
