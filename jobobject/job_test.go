package jobobject_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/jobobject/jobtest"
)

var errBroken = errors.New("broken")

// lasting is a program that lives until it is ended.
func lasting(p *jobtest.Proc) uint32 {
	<-p.Done()
	return 0
}

// newKernel is a kernel with the program last.exe and a job on it.
func newKernel(t *testing.T, o jobobject.Options) (*jobtest.Kernel, *jobobject.Job) {
	t.Helper()
	k := jobtest.New()
	k.Program("last.exe", lasting)
	o.Kernel = k
	j, err := jobobject.Create(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(j.Terminate(0), j.Close()); err != nil && !errors.Is(err, jobobject.ErrClosed) {
			t.Error(err)
		}
		k.Wait()
		if n := k.OpenHandles(); n != 0 {
			t.Errorf("%d handles left open", n)
		}
	})
	return k, j
}

// startLasting starts last.exe n times and closes the processes at the end.
func startLasting(t *testing.T, j *jobobject.Job, n int) []uint32 {
	t.Helper()
	pids := make([]uint32, n)
	for i := range pids {
		p, err := j.Start(jobobject.ProcessOptions{Application: `C:\last.exe`})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		})
		pids[i] = p.Pid()
	}
	return pids
}

func TestCreate_KernelFails_NothingIsLeft(t *testing.T) {
	for _, op := range []string{"CreateJob", "CreatePort", "AssociatePort", "SetLimits"} {
		t.Run(op, func(t *testing.T) {
			k := jobtest.New()
			k.Fail(op, 1, errBroken)
			before := runtime.NumGoroutine()
			j, err := jobobject.Create(jobobject.Options{Name: "a", KillOnClose: true, Kernel: k})
			if !errors.Is(err, errBroken) || j != nil {
				t.Fatalf("create = %v, %v, want the fault", j, err)
			}
			if n := k.OpenHandles(); n != 0 {
				t.Errorf("%d handles left open", n)
			}
			// The port's reader has answered its end; its goroutine may still be leaving.
			for runtime.NumGoroutine() > before {
				runtime.Gosched()
			}
			again, err := jobobject.Create(jobobject.Options{Name: "a", Kernel: k})
			if err != nil {
				t.Fatalf("name after a failed create: %v", err)
			}
			if err := again.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// uncomparable is a kernel that is no key of a map.
type uncomparable struct {
	jobobject.Kernel
	_ []int
}

func TestCreate_KernelNotComparable_IsRefused(t *testing.T) {
	k := jobtest.New()
	for _, kernel := range []jobobject.Kernel{uncomparable{Kernel: k}, struct{ jobobject.Kernel }{uncomparable{Kernel: k}}} {
		if _, err := jobobject.Create(jobobject.Options{Kernel: kernel}); err == nil || !strings.Contains(err.Error(), "pass a pointer") {
			t.Errorf("create: %v, want the advice to pass a pointer", err)
		}
	}
	j, err := jobobject.Create(jobobject.Options{Kernel: &uncomparable{Kernel: k}})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
	if n := k.OpenHandles(); n != 0 {
		t.Errorf("%d handles left open", n)
	}
}

func TestOpen_EmptyOrNULName_IsRefused(t *testing.T) {
	k := jobtest.New()
	for _, name := range []string{"", "a\x00b"} {
		if _, err := jobobject.Open(name, jobobject.OpenOptions{Kernel: k}); err == nil {
			t.Errorf("Open(%q) succeeded", name)
		}
		if name == "" {
			continue
		}
		if _, err := jobobject.Create(jobobject.Options{Name: name, Kernel: k}); err == nil {
			t.Errorf("Create(%q) succeeded", name)
		}
	}
	if n := k.Calls("OpenJob") + k.Calls("CreateJob"); n != 0 {
		t.Errorf("the kernel was asked %d times", n)
	}
}

func TestError_Text_HasOperationAndName(t *testing.T) {
	for _, tt := range []struct {
		err  jobobject.Error
		want string
	}{
		{jobobject.Error{Op: "open job", Name: "a", Err: errBroken}, "open job a: broken"},
		{jobobject.Error{Op: "create job", Err: errBroken}, "create job: broken"},
	} {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("Error() = %q, want %q", got, tt.want)
		}
	}
}

// TestPids_MoreThanFirstRoom_AreAllListed has more members than the first question has room for.
func TestPids_MoreThanFirstRoom_AreAllListed(t *testing.T) {
	k, j := newKernel(t, jobobject.Options{})
	want := startLasting(t, j, 150)
	got, err := j.Pids()
	if err != nil || len(got) != len(want) {
		t.Fatalf("%d pids, %v, want %d", len(got), err, len(want))
	}
	if n := k.Calls("ProcessIDs"); n != 2 {
		t.Errorf("asked %d times, want 2", n)
	}
}

func TestCreate_TrackIORefused_StorageIsNotSupported(t *testing.T) {
	k := jobtest.New()
	k.Fail("EnableIOAttribution", -1, jobobject.ErrNotSupported)
	j, err := jobobject.Create(jobobject.Options{TrackIO: true, Kernel: k})
	if err != nil {
		t.Fatalf("create on a host that refuses: %v", err)
	}
	defer j.Close()
	if _, err := j.Storage(); !errors.Is(err, jobobject.ErrNotSupported) {
		t.Errorf("storage: %v, want ErrNotSupported", err)
	}
	if k.Calls("IOAttribution") != 0 {
		t.Error("the kernel was asked for what it refused to count")
	}
}

func TestJob_ProcessUsedResources_QueriesReturnThem(t *testing.T) {
	k, j := newKernel(t, jobobject.Options{TrackIO: true})
	io := jobobject.IOAttribution{ReadCount: 1, ReadBytes: 2, WriteCount: 3, WriteBytes: 4}
	k.Program("use.exe", func(p *jobtest.Proc) uint32 {
		p.Use(5, 6, 7)
		p.Transfer(io)
		p.Commit(8 << 20)
		return 0
	})
	p, err := j.Start(jobobject.ProcessOptions{CommandLine: "use.exe"})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := p.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a, err := j.Accounting(); err != nil || a != (jobobject.Accounting{UserTime: 5, KernelTime: 6, PageFaults: 7, Total: 1}) {
		t.Errorf("accounting = %+v, %v", a, err)
	}
	if s, err := j.Storage(); err != nil || s != io {
		t.Errorf("storage = %+v, %v", s, err)
	}
	if m, err := j.Memory(); err != nil || m != (jobobject.MemoryUsage{PeakCommit: 8 << 20}) {
		t.Errorf("memory = %+v, %v", m, err)
	}
}

func TestJobMemory_Exceeded_AllocationFailsWithMessage(t *testing.T) {
	k, j := newKernel(t, jobobject.Options{})
	messages := j.Messages()
	k.Program("grow.exe", func(p *jobtest.Proc) uint32 {
		if p.Commit(64<<20) || !p.Commit(16<<20) {
			return 1
		}
		return 0
	})
	if err := j.SetLimits(t.Context(), jobobject.Limits{JobMemory: 32 << 20}); err != nil {
		t.Fatal(err)
	}
	p, err := j.Start(jobobject.ProcessOptions{CommandLine: "grow.exe"})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if code, err := p.Wait(t.Context()); err != nil || code != 0 {
		t.Errorf("exit code = %d, %v, want only the first growth refused", code, err)
	}
	for _, want := range []jobobject.MessageKind{
		jobobject.NewProcess, jobobject.JobMemoryLimit, jobobject.ExitProcess, jobobject.ActiveProcessZero,
	} {
		if m := <-messages; m.Kind != want {
			t.Errorf("message %v, want %v", m.Kind, want)
		}
	}
}

func TestActiveProcesses_Exceeded_StartFails(t *testing.T) {
	_, j := newKernel(t, jobobject.Options{})
	if err := j.SetLimits(t.Context(), jobobject.Limits{ActiveProcesses: 2}); err != nil {
		t.Fatal(err)
	}
	startLasting(t, j, 2)
	if _, err := j.Start(jobobject.ProcessOptions{CommandLine: "last.exe"}); !errors.Is(err, jobtest.ErrQuota) {
		t.Errorf("third process: %v, want no quota", err)
	}
}

func TestSetLimits_PartRefused_PartsBeforeStay(t *testing.T) {
	k, j := newKernel(t, jobobject.Options{Name: "limits"})
	k.Fail("SetLimits "+jobobject.CPULimits.String(), 1, errBroken)
	err := j.SetLimits(t.Context(), jobobject.Limits{JobMemory: 5, CPURate: 100})
	if !errors.Is(err, errBroken) || !strings.Contains(err.Error(), "processor rate") {
		t.Errorf("err = %v, want the part that failed", err)
	}
	if l := j.Limits(); l.JobMemory != 5 || l.CPURate != 0 {
		t.Errorf("limits = %+v, want the part before", l)
	}
	groups := []jobobject.GroupAffinity{{Mask: 3}}
	if err := j.SetLimits(t.Context(), jobobject.Limits{Affinity: groups}); err != nil {
		t.Fatal(err)
	}
	groups[0].Mask = 9
	if l := j.Limits(); l.Affinity[0].Mask != 3 {
		t.Error("the limits share memory with the caller")
	}
	if l, ok := k.Limits("limits"); !ok || l.JobMemory != 0 || l.Affinity[0].Mask != 3 {
		t.Errorf("limits in force = %+v, %v", l, ok)
	}
	if err := j.SetLimits(t.Context(), jobobject.Limits{}); !errors.Is(err, jobobject.ErrNotSupported) {
		t.Errorf("taking the affinity away: %v, want ErrNotSupported", err)
	}
}
