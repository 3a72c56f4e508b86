package probe

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/windows"
)

// Job information classes that x/sys does not declare.
const (
	cpuRateControl = 15
	memoryUsage    = 28
	ioAttribution  = 42
)

// newJob makes an anonymous job that kills its members with its last handle.
func newJob(t *testing.T) windows.Handle {
	t.Helper()
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = windows.CloseHandle(job) })
	return job
}

func set[T any](job windows.Handle, class uint32, info *T) error {
	_, err := windows.SetInformationJobObject(job, class, uintptr(unsafe.Pointer(info)), uint32(unsafe.Sizeof(*info)))
	return err
}

func query[T any](job windows.Handle, class int32, info *T) error {
	return windows.QueryInformationJobObject(job, class, uintptr(unsafe.Pointer(info)), uint32(unsafe.Sizeof(*info)), nil)
}

// assign puts a child into the job.
func assign(t *testing.T, job windows.Handle, pid int) {
	t.Helper()
	h, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false, uint32(pid))
	if err != nil {
		t.Fatal(err)
	}
	defer windows.CloseHandle(h)
	if err := windows.AssignProcessToJobObject(job, h); err != nil {
		t.Fatal(err)
	}
}

func TestJob_LimitsSet_ReadBack(t *testing.T) {
	job := newJob(t)
	want := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{JobMemoryLimit: 64 << 20}
	want.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_JOB_MEMORY | windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE |
		windows.JOB_OBJECT_LIMIT_ACTIVE_PROCESS
	want.BasicLimitInformation.ActiveProcessLimit = 7
	if err := set(job, windows.JobObjectExtendedLimitInformation, &want); err != nil {
		t.Fatal(err)
	}
	var got windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION
	if err := query(job, windows.JobObjectExtendedLimitInformation, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("limits read back (-set +got):\n%s", diff)
	}
}

// memoryLimit is the limit of a named job in MiB, or 255.
func memoryLimit(name string) int {
	job, err := windows.CreateJobObject(nil, windows.StringToUTF16Ptr(name))
	if err != nil {
		return 255
	}
	defer windows.CloseHandle(job)
	var got windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION
	if err := query(job, windows.JobObjectExtendedLimitInformation, &got); err != nil {
		return 255
	}
	return int(got.JobMemoryLimit >> 20)
}

// The limits of a named job are those of every process that opens it, and end with the job.
func TestJob_NamedLimitsSet_OtherProcessReadsThem(t *testing.T) {
	name := fmt.Sprintf(`Global\probe/Job-%d`, os.Getpid())
	t.Setenv("PROBE_JOB", name)
	for _, want := range []int{0, 64, 96} {
		job, err := windows.CreateJobObject(nil, windows.StringToUTF16Ptr(name))
		if err != nil {
			t.Fatal(err)
		}
		limits := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{JobMemoryLimit: uintptr(want) << 20}
		limits.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_JOB_MEMORY
		if want > 0 {
			if err := set(job, windows.JobObjectExtendedLimitInformation, &limits); err != nil {
				t.Fatal(err)
			}
		}
		cmd := child(t, "limits")
		_ = cmd.Wait() // the exit code is the answer
		if got := cmd.ProcessState.ExitCode(); got != want {
			t.Errorf("another process reads a memory limit of %d MiB, want %d", got, want)
		}
		if err := windows.CloseHandle(job); err != nil {
			t.Fatal(err)
		}
		if got := memoryLimit(name); got != 0 {
			t.Errorf("a new job of the name has a memory limit of %d MiB", got)
		}
	}
}

// Settings of a job do not appear on the next job with the same handle value.
func TestJob_HandleValueReused_LimitsAreUnset(t *testing.T) {
	for range 4 {
		job, err := windows.CreateJobObject(nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		var rate [2]uint32
		if err := query(job, cpuRateControl, &rate); err != nil || rate != [2]uint32{} {
			t.Errorf("CPU rate of a new job: %v, %v", rate, err)
		}
		rate = [2]uint32{5, 2500} // ENABLE | HARD_CAP, 25 %
		if err := set(job, cpuRateControl, &rate); err != nil {
			t.Fatal(err)
		}
		var got [2]uint32
		if err := query(job, cpuRateControl, &got); err != nil || got != rate {
			t.Errorf("CPU rate read back: %v, %v", got, err)
		}
		if err := windows.CloseHandle(job); err != nil {
			t.Fatal(err)
		}
	}
}

// basicAccounting is JOBOBJECT_BASIC_ACCOUNTING_INFORMATION.
type basicAccounting struct {
	User, Kernel, PeriodUser, PeriodKernel int64
	Faults, Total, Active, Terminated      uint32
}

// The times of a member count while it runs and after its exit.
func TestJob_MemberExited_TimesAreKept(t *testing.T) {
	job, cmd := newJob(t), child(t, "spin")
	assign(t, job, cmd.Process.Pid)
	const much = int64(300 * time.Millisecond / 100)
	var a basicAccounting
	eventually(t, "time of the job", func() (bool, error) {
		err := query(job, windows.JobObjectBasicAccountingInformation, &a)
		return a.User+a.Kernel >= much, err
	})
	if a.Active != 1 {
		t.Errorf("active processes = %d, want 1", a.Active)
	}
	seen := a.User + a.Kernel
	if err := windows.TerminateJobObject(job, 9); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // terminated
	eventually(t, "empty job", func() (bool, error) {
		err := query(job, windows.JobObjectBasicAccountingInformation, &a)
		return a.Active == 0, err
	})
	if a.User+a.Kernel < seen {
		t.Errorf("time decreased from %d to %d", seen, a.User+a.Kernel)
	}
}

func TestJob_Members_MemoryIsCounted(t *testing.T) {
	job := newJob(t)
	var usage struct{ Commit, Peak uint64 }
	if err := query(job, memoryUsage, &usage); err != nil || usage.Commit != 0 {
		t.Errorf("memory of an empty job: %+v, %v", usage, err)
	}
	assign(t, job, child(t, "idle").Process.Pid)
	if err := query(job, memoryUsage, &usage); err != nil || usage.Commit == 0 || usage.Peak < usage.Commit {
		t.Errorf("memory of a job with a member: %+v, %v", usage, err)
	}
}

// PROCESS_QUERY_LIMITED_INFORMATION suffices for the query.
func TestIsProcessInJob_LimitedHandle_Answers(t *testing.T) {
	job, in, out := newJob(t), child(t, "idle"), child(t, "idle")
	assign(t, job, in.Process.Pid)
	for pid, want := range map[int]bool{in.Process.Pid: true, out.Process.Pid: false} {
		var is bool
		if err := isProcessInJob(open(t, pid), job, &is); err != nil || is != want {
			t.Errorf("process %d in the job: %v, %v, want %v", pid, is, err, want)
		}
	}
}

func isProcessInJob(process, job windows.Handle, is *bool) error {
	var yes int32
	proc := windows.NewLazySystemDLL("kernel32.dll").NewProc("IsProcessInJob")
	ok, _, err := proc.Call(uintptr(process), uintptr(job), uintptr(unsafe.Pointer(&yes)))
	*is = yes != 0
	if ok == 0 {
		return err
	}
	return nil
}

// Wine counts no I/O, so the query must fail instead of returning zeros.
func TestJob_StorageOnWine_NotSupported(t *testing.T) {
	if !onWine() {
		t.Skip("this is Windows, which counts I/O")
	}
	job := newJob(t)
	if err := set(job, ioAttribution, &[72]byte{1}); err != nil {
		t.Fatal(err)
	}
	var info [72]byte
	if err := query(job, ioAttribution, &info); !errors.Is(err, windows.ERROR_NOT_SUPPORTED) {
		t.Errorf("query: %v, want ERROR_NOT_SUPPORTED", err)
	}
}
