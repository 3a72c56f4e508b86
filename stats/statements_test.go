package stats_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/stats"
)

// The promises of the in-process path, by the numbers that are used throughout this package. Some are tested in other
// packages: S15 in package hcs, S25 in container/engine, S33 and S34 in stats/runhcs.

// S5: the answer has the id, and the kinds of the container in lower case, "windows" where none was given.
func TestS05StarterProperties(t *testing.T) {
	m := newMachine(t)
	for given, want := range map[string]string{"": "windows", "Windows": "windows", "LINUX": "linux"} {
		p := m.system(stats.SystemOptions{SystemType: "CONTAINER", RuntimeOSType: given}).properties(t, nil)
		if diff := cmp.Diff(stats.Properties{ID: containerID, SystemType: "container", RuntimeOSType: want}, p); diff != "" {
			t.Errorf("%q (-want +got):\n%s", given, diff)
		}
	}
}

// S6: a type that the kernel has no answer for goes to the service, in the order queried.
func TestS06OtherTypesGoToTheService(t *testing.T) {
	m := newMachine(t)
	queried := types{"Zebra", statistics, memory, processList, "Apple"}
	p := m.system(stats.SystemOptions{}).properties(t, queried, types{"Zebra", memory, "Apple"})
	if d := p.Document; d.Memory == nil || d.Unknown["Zebra"] == nil || d.Unknown["Apple"] == nil || p.Statistics == nil || p.ProcessList == nil {
		t.Errorf("properties = %+v", p)
	}
}

// S7: a type that is named twice is queried for once, also when it fails.
func TestS07OnceForEachType(t *testing.T) {
	m := newMachine(t)
	s := m.system(stats.SystemOptions{})
	s.properties(t, types{statistics, statistics, statistics})
	if n := m.Calls("MemoryUsage"); n != 1 {
		t.Errorf("sampled %d times, want once", n)
	}
	m.Fail("MemoryUsage", -1, errors.New("refused"))
	m.Fail("ProcessIDs", -1, errors.New("refused")) // or the members stand in
	m.ResetCalls()
	s.properties(t, types{statistics, memory, statistics, memory}, types{statistics, memory})
	if n := m.Calls("MemoryUsage"); n != 1 {
		t.Errorf("sampled %d times where it fails, want once", n)
	}
}

// S8: what the kernel answers in full is no matter for the service.
func TestS08NoCallToTheService(t *testing.T) {
	m := newMachine(t)
	m.place(container, 5)
	s := m.system(stats.SystemOptions{})
	s.service.err = errors.New("the service is down")
	if p := s.properties(t, types{statistics, processList}); p.Statistics.Fallbacks != 0 || len(s.reasons) != 0 {
		t.Errorf("%d fallbacks, reasons %v", p.Statistics.Fallbacks, s.reasons)
	}
}

// S9: without a type neither kernel nor service is queried.
func TestS09NoTypes(t *testing.T) {
	m := newMachine(t)
	s := m.system(stats.SystemOptions{})
	if n := m.calls(func() { s.properties(t, nil) }); n != 0 {
		t.Errorf("%d kernel calls for no type", n)
	}
}

// S10: statistics that fail here and succeed there are no error to the caller; the reason is given.
func TestS10FailureIsNoErrorWhereTheServiceAnswers(t *testing.T) {
	m := newMachine(t)
	refused := errors.New("refused")
	m.Fail("Accounting", -1, refused)
	s := m.system(stats.SystemOptions{})
	if p := s.properties(t, types{statistics}, types{statistics}); p.Statistics.Processor.User != time.Hour {
		t.Errorf("processor = %+v, want the service's", p.Statistics.Processor)
	}
	if len(s.reasons) != 1 || !errors.Is(s.reasons[0], refused) {
		t.Errorf("reasons = %v, want the kernel's", s.reasons)
	}
}

// S11: of several types the service gets the one that failed.
func TestS11OnlyWhatFailed(t *testing.T) {
	m := newMachine(t)
	m.place(container, 5)
	m.Fail("IOAttribution", -1, errors.New("refused"))
	if p := m.system(stats.SystemOptions{}).properties(t, types{processList, statistics}, types{statistics}); p.ProcessList[0].Image != "w.exe" {
		t.Errorf("processes = %+v, want the kernel's", p.ProcessList)
	}
}

// S12: the service's answer gets our metrics, and its owner gets into them where we know none.
func TestS12Merge(t *testing.T) {
	m := newMachine(t)
	m.place(container, 5)
	m.Fail("IOAttribution", -1, errors.New("refused"))
	p := m.system(stats.SystemOptions{}).properties(t, types{statistics}, types{statistics})
	if p.Statistics.Memory.PrivateWorkingSet != 5 || p.Statistics.Storage.Reads != 104 || p.Owner != "ServiceOwner" || p.Statistics.Owner != "ServiceOwner" {
		t.Errorf("owner %q, statistics %+v", p.Owner, p.Statistics)
	}
	known := m.system(stats.SystemOptions{Owner: "Kubelet"}).properties(t, types{statistics}, types{statistics})
	if known.Owner != "Kubelet" || known.Statistics.Owner != "Kubelet" {
		t.Errorf("owner = %q, %q, want the one that we know", known.Owner, known.Statistics.Owner)
	}
}

// S16: the owner keeps its spelling.
func TestS16OwnerKeepsItsSpelling(t *testing.T) {
	p := newMachine(t).system(stats.SystemOptions{Owner: "KubeLet-É"}).properties(t, types{statistics})
	if p.Owner != "KubeLet-É" || p.Statistics.Owner != "KubeLet-É" {
		t.Errorf("owner = %q, %q", p.Owner, p.Statistics.Owner)
	}
}

// S19: the start is the one that was given, and the uptime is measured behind the queries.
func TestS19UptimeSinceTheStart(t *testing.T) {
	m := newMachine(t)
	started := m.Now().Add(-time.Minute)
	k := &slowKernel{Kernel: m.Kernel, machine: m}
	s := sampleOf(stats.NewSiloCollector(containerID, stats.NamedOptions{Kernel: k, Now: m.Now}), started)
	if !s.Started.Equal(started) || s.Uptime != time.Minute+3*time.Second {
		t.Errorf("up %v since %v, want 1m3s since %v", s.Uptime, s.Started, started)
	}
}

// S22: processor time is user and kernel time of running and exited processes.
func TestS22ProcessorTimeOfTheDead(t *testing.T) {
	m := newMachine(t)
	exited := m.place(container, 1)
	exited.Use(3*time.Second, 2*time.Second, 0)
	exited.Exit(0)
	s := sampleOf(m.silo(), m.Now())
	if want := (stats.Processor{User: 3 * time.Second, Kernel: 2 * time.Second}); s.Processor != want || s.Processor.Total() != 5*time.Second {
		t.Errorf("processor = %+v, want %+v", s.Processor, want)
	}
}

// S23: storage is the traffic that is attributed to the job, reads and writes apart.
func TestS23StorageIsAttributed(t *testing.T) {
	m := newMachine(t)
	m.place(container, 1).Transfer(jobobject.IOAttribution{ReadCount: 1, ReadBytes: 2, WriteCount: 3, WriteBytes: 4})
	m.place(otherJob, 1).Transfer(jobobject.IOAttribution{ReadCount: 100, ReadBytes: 100, WriteCount: 100, WriteBytes: 100})
	if s := sampleOf(m.silo(), m.Now()); s.Storage != (stats.Storage{Reads: 1, ReadBytes: 2, Writes: 3, WriteBytes: 4}) {
		t.Errorf("storage = %+v", s.Storage)
	}
}
