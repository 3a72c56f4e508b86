package hcstest

import (
	"slices"
	"time"

	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/schema"
)

// basic are the properties that every answer has.
func (sys *system) basic() schema.Properties {
	return schema.Properties{
		Id: sys.id, SystemType: schema.TypeContainer, RuntimeOsType: "Windows", Name: sys.id,
		Owner: sys.document.Owner, State: sys.state,
	}
}

// properties answers a query about sys.
func (s *Service) properties(sys *system, query string) (string, error) {
	var q schema.PropertyQuery
	if query != "" && (schema.Unmarshal([]byte(query), &q) != nil || strict(q) != "") {
		return "", s.failure(hcs.CodeInvalidJSON, "")
	}
	for _, t := range q.PropertyTypes {
		switch t {
		case schema.PropertyStatistics, schema.PropertyProcessList, schema.PropertyTerminateOnLastHandleClosed:
		default:
			return "", s.failure(hcs.CodeWin32NotSupported, "")
		}
	}
	s.mu.Lock()
	if sys.state == schema.StateStopped {
		s.mu.Unlock()
		return "", s.failure(hcs.CodeSystemAlreadyStopped, "")
	}
	defer s.mu.Unlock()
	p := sys.basic()
	if slices.Contains(q.PropertyTypes, schema.PropertyStatistics) {
		p.Statistics = sys.statistics()
	}
	if slices.Contains(q.PropertyTypes, schema.PropertyProcessList) {
		for _, proc := range sys.procs {
			if proc.exit == nil {
				p.ProcessList = append(p.ProcessList, proc.details())
			}
		}
	}
	p.TerminateOnLastHandleClosed = slices.Contains(q.PropertyTypes, schema.PropertyTerminateOnLastHandleClosed) &&
		sys.document.ShouldTerminateOnLastHandleClosed
	return encode(p), nil
}

// statistics sums those of the processes: the times of all, the memory of the
// running ones.
func (sys *system) statistics() *schema.Statistics {
	now := time.Now()
	st := &schema.Statistics{
		Timestamp: now, ContainerStartTime: sys.started,
		Processor: new(schema.ProcessorStats), Memory: new(schema.MemoryStats), Storage: new(schema.StorageStats),
	}
	if !sys.started.IsZero() {
		st.Uptime100ns = uint64(now.Sub(sys.started) / 100)
	}
	for _, p := range sys.procs {
		st.Processor.RuntimeUser100ns += uint64(p.usage.User / 100)
		st.Processor.RuntimeKernel100ns += uint64(p.usage.Kernel / 100)
		st.Storage.ReadCountNormalized += p.usage.Reads
		st.Storage.ReadSizeBytes += p.usage.ReadBytes
		st.Storage.WriteCountNormalized += p.usage.Writes
		st.Storage.WriteSizeBytes += p.usage.WriteBytes
		if p.exit == nil {
			st.Memory.MemoryUsageCommitBytes += p.usage.Commit
			st.Memory.MemoryUsagePrivateWorkingSetBytes += p.usage.Private
		}
	}
	st.Processor.TotalRuntime100ns = st.Processor.RuntimeUser100ns + st.Processor.RuntimeKernel100ns
	st.Memory.MemoryUsageCommitPeakBytes = st.Memory.MemoryUsageCommitBytes
	return st
}

func (p *Proc) details() schema.ProcessDetails {
	return schema.ProcessDetails{
		ProcessId: p.pid, ImageName: p.image, CreateTimestamp: p.created,
		UserTime100ns: uint64(p.usage.User / 100), KernelTime100ns: uint64(p.usage.Kernel / 100),
		MemoryCommitBytes: p.usage.Commit, MemoryWorkingSetPrivateBytes: p.usage.Private, MemoryWorkingSetSharedBytes: p.usage.Shared,
	}
}
