package stats_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/jobobject"
	"github.com/siloshim/siloshim/schema"
	"github.com/siloshim/siloshim/stats"
)

// service is a Host Compute Service that knows one container.
type service struct {
	queried [][]schema.PropertyType
	err     error
}

var serviceStart = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func (s *service) Properties(_ context.Context, types ...schema.PropertyType) (*schema.Properties, error) {
	s.queried = append(s.queried, types)
	if s.err != nil {
		return nil, s.err
	}
	p := &schema.Properties{Id: "theirs", Unknown: schema.Unknown{}}
	for _, t := range types {
		switch t {
		case schema.PropertyStatistics:
			p.Owner, p.Statistics = "ServiceOwner", &schema.Statistics{
				ContainerStartTime: serviceStart,
				Processor:          &schema.ProcessorStats{RuntimeUser100ns: uint64(time.Hour / 100)},
				Memory: &schema.MemoryStats{
					MemoryUsageCommitBytes: 101, MemoryUsageCommitPeakBytes: 102, MemoryUsagePrivateWorkingSetBytes: 103,
				},
				Storage: &schema.StorageStats{ReadCountNormalized: 104},
			}
		case schema.PropertyProcessList:
			p.ProcessList = []schema.ProcessDetails{{ProcessId: 1, ImageName: "theirs.exe"}}
		case schema.PropertyMemory:
			p.Memory = json.RawMessage(`{"From":"service"}`)
		default:
			p.Unknown[string(t)] = json.RawMessage(`{"From":"service"}`)
		}
	}
	return p, nil
}

// system is a container with a service behind it, and the record of the reasons.
type system struct {
	*stats.System
	service *service
	reasons []error
}

func (m *machine) system(o stats.SystemOptions) *system {
	s := &system{service: &service{}}
	o.ID, o.Service = containerID, s.service
	if o.SystemType == "" {
		o.SystemType = "Container"
	}
	o.Kernel, o.Now = m.Kernel, m.Now
	o.Fallback = func(_ []schema.PropertyType, reason error) { s.reasons = append(s.reasons, reason) }
	s.System = stats.NewSystem(o)
	return s
}

// properties queries, and checks what the service was queried for.
func (s *system) properties(t *testing.T, types []schema.PropertyType, queried ...[]schema.PropertyType) stats.Properties {
	t.Helper()
	s.service.queried = nil
	p, err := s.Properties(t.Context(), time.Time{}, types...)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(queried, s.service.queried); diff != "" {
		t.Errorf("the service was queried for (-want +got):\n%s", diff)
	}
	return p
}

type types = []schema.PropertyType

const (
	statistics  = schema.PropertyStatistics
	processList = schema.PropertyProcessList
	memory      = schema.PropertyMemory
)

// S3: a virtual machine's types go to the service as they are.
func TestS03VirtualMachine(t *testing.T) {
	s := newMachine(t).system(stats.SystemOptions{SystemType: "VirtualMachine"})
	twice := types{statistics, memory, statistics}
	if p := s.properties(t, twice, twice); p.ID != "theirs" || p.Statistics.Memory.Commit != 101 {
		t.Errorf("properties = %+v, want the service's", p)
	}
	if len(s.reasons) != 0 {
		t.Errorf("reasons = %v, want none: nothing failed", s.reasons)
	}
}

// S4: a closed system is refused before any query.
func TestS04Closed(t *testing.T) {
	m := newMachine(t)
	s := m.system(stats.SystemOptions{})
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	calls := m.calls(func() {
		if _, err := s.Properties(t.Context(), time.Time{}, statistics); !errors.Is(err, stats.ErrClosed) {
			t.Errorf("properties of a closed system: %v, want ErrClosed", err)
		}
	})
	if calls != 0 || len(s.service.queried) != 0 {
		t.Errorf("%d kernel calls and %d queries to the service", calls, len(s.service.queried))
	}
}

// S5, S9, S16: the starter has id, types in lower case and the owner in its own spelling; without types there is no query.
func TestS05S09S16Starter(t *testing.T) {
	s := newMachine(t).system(stats.SystemOptions{Owner: "Kubelet"})
	want := stats.Properties{ID: containerID, SystemType: "container", RuntimeOSType: "windows", Owner: "Kubelet"}
	if diff := cmp.Diff(want, s.properties(t, nil)); diff != "" {
		t.Errorf("properties (-want +got):\n%s", diff)
	}
}

// S6, S7, S8: what the kernel has is queried there, once for each type, and the service is not queried.
func TestS06S07S08InProcess(t *testing.T) {
	m := newMachine(t)
	m.place(container, 5)
	s := m.system(stats.SystemOptions{Owner: "Kubelet"})
	p := s.properties(t, types{statistics, processList, statistics, processList})
	if p.Statistics.Memory.PrivateWorkingSet != 5 || p.Statistics.Owner != "Kubelet" || len(p.ProcessList) != 1 {
		t.Errorf("statistics = %+v, processes = %+v", p.Statistics, p.ProcessList)
	}
	if n := m.Calls("Accounting"); n != 1 {
		t.Errorf("sampled %d times, want once", n)
	}
}

// S10, S11, S12: one metric that fails brings the service in, for its type only; what the kernel gave stays.
func TestS10S11S12Fallback(t *testing.T) {
	m := newMachine(t)
	m.place(container, 5).Commit(6 << 20)
	refused := errors.New("refused")
	m.Fail("IOAttribution", -1, refused)
	s := m.system(stats.SystemOptions{})
	for round := range 3 {
		p := s.properties(t, types{statistics, processList, memory, statistics}, types{statistics, memory})
		got := p.Statistics
		if got.Storage.Reads != 104 || got.Metrics[stats.MetricStorage].Source != stats.SourceService {
			t.Errorf("storage = %+v, %+v, want the service's", got.Storage, got.Metrics[stats.MetricStorage])
		}
		if got.Memory.Commit != 6<<20 || got.Memory.PrivateWorkingSet != 5 || got.Processor.User == time.Hour {
			t.Errorf("statistics = %+v, want what the kernel gave", got)
		}
		if p.Owner != "ServiceOwner" || got.Owner != "ServiceOwner" || p.ID != containerID {
			t.Errorf("owner = %q, %q, id = %q", p.Owner, got.Owner, p.ID)
		}
		if !got.Started.Equal(serviceStart) || got.Fallbacks != uint64(round+1) {
			t.Errorf("started = %v, fallbacks = %d", got.Started, got.Fallbacks)
		}
		if len(p.ProcessList) != 1 || p.ProcessList[0].Image != "w.exe" || p.Document.Memory == nil || len(p.Document.Unknown) != 0 {
			t.Errorf("processes = %+v, document = %+v", p.ProcessList, p.Document)
		}
	}
	if len(s.reasons) != 1 || !errors.Is(s.reasons[0], refused) {
		t.Errorf("reasons = %v, want the first alone", s.reasons)
	}
	m.Fail("IOAttribution", 0, nil)
	p := s.properties(t, types{statistics})
	if !p.Statistics.Started.Equal(serviceStart) || p.Statistics.Metrics[stats.MetricStarted].Quality != stats.Exact {
		t.Errorf("start %v was forgotten", p.Statistics.Started)
	}
}

// S13: a silo that cannot be opened sends all types to the service, once each, and the reason is the kernel's.
func TestS13NoSilo(t *testing.T) {
	m := newMachine(t)
	m.Fail("OpenJob", -1, jobobject.ErrPermission)
	s := m.system(stats.SystemOptions{})
	p := s.properties(t, types{memory, statistics, processList, statistics}, types{memory, statistics, processList})
	if p.Statistics.Memory.PrivateWorkingSet != 103 || p.ProcessList[0].Image != "theirs.exe" {
		t.Errorf("properties = %+v, want the service's", p)
	}
	if len(s.reasons) != 1 || !errors.Is(s.reasons[0], jobobject.ErrPermission) {
		t.Errorf("reasons = %v, want the refusal", s.reasons)
	}
}

// S14, ours: the service's error is returned as it is, with what the kernel gave.
func TestS14ServiceFails(t *testing.T) {
	m := newMachine(t)
	m.place(container, 5)
	s := m.system(stats.SystemOptions{})
	s.service.err = errors.New("the service is down")
	p, err := s.Properties(t.Context(), time.Time{}, statistics, memory)
	if err != s.service.err { //nolint:errorlint // as it is
		t.Errorf("error = %v, want the service's own", err)
	}
	if p.Statistics == nil || p.Statistics.Memory.PrivateWorkingSet != 5 {
		t.Errorf("statistics = %+v, want the kernel's", p.Statistics)
	}
	if len(s.reasons) != 0 {
		t.Errorf("reasons = %v, want none: memory is not ours to answer", s.reasons)
	}
}

func TestSystem_NoService_OnlyItsTypesFail(t *testing.T) {
	m := newMachine(t)
	s := stats.NewSystem(stats.SystemOptions{ID: containerID, SystemType: "container", Kernel: m.Kernel})
	if _, err := s.Properties(t.Context(), time.Time{}, memory); !errors.Is(err, jobobject.ErrNotSupported) {
		t.Errorf("error = %v, want ErrNotSupported", err)
	}
	if _, err := s.Properties(t.Context(), time.Time{}, statistics); err != nil {
		t.Errorf("statistics without a service: %v", err)
	}
}
