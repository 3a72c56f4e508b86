package main

import (
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/siloshim/siloshim/hcs"
	"github.com/siloshim/siloshim/schema"
)

// properties are the properties of a system, with the statistics of its job.
func (s *system) properties(query string) (string, error) {
	var q schema.PropertyQuery
	if query != "" && schema.Unmarshal([]byte(query), &q) != nil {
		return "", hcs.CodeInvalidJSON
	}
	world.Lock()
	p := s.basicLocked()
	world.Unlock()
	if p.State == schema.StateStopped {
		return "", hcs.CodeSystemAlreadyStopped
	}
	if slices.Contains(q.PropertyTypes, schema.PropertyStatistics) {
		p.Statistics = s.statistics()
	}
	if slices.Contains(q.PropertyTypes, schema.PropertyProcessList) {
		pids, err := s.job.Pids()
		if err != nil {
			return "", err
		}
		for _, pid := range pids {
			p.ProcessList = append(p.ProcessList, schema.ProcessDetails{ProcessId: pid, ImageName: "hcsim.exe", CreateTimestamp: s.created})
		}
	}
	return encode(p), nil
}

// statistics omits the values that the kernel does not count.
func (s *system) statistics() *schema.Statistics {
	now := time.Now()
	st := &schema.Statistics{Timestamp: now, ContainerStartTime: s.created, Uptime100ns: uint64(now.Sub(s.created) / 100)}
	if a, err := s.job.Accounting(); err == nil {
		st.Processor = &schema.ProcessorStats{
			TotalRuntime100ns: uint64((a.UserTime + a.KernelTime) / 100),
			RuntimeUser100ns:  uint64(a.UserTime / 100), RuntimeKernel100ns: uint64(a.KernelTime / 100),
		}
	}
	if m, err := s.job.Memory(); err == nil {
		private, _ := s.job.PrivateWorkingSet() // zero if it is unsupported
		st.Memory = &schema.MemoryStats{
			MemoryUsageCommitBytes: m.Commit, MemoryUsageCommitPeakBytes: m.PeakCommit, MemoryUsagePrivateWorkingSetBytes: private,
		}
	}
	st.Storage = &schema.StorageStats{} // Wine counts no traffic
	if d, err := s.job.Storage(); err == nil {
		st.Storage = &schema.StorageStats{
			ReadCountNormalized: d.ReadCount, ReadSizeBytes: d.ReadBytes, WriteCountNormalized: d.WriteCount, WriteSizeBytes: d.WriteBytes,
		}
	}
	return st
}

// basicLocked are the properties in every answer.
func (s *system) basicLocked() schema.Properties {
	return schema.Properties{
		Id: s.id, SystemType: schema.TypeContainer, RuntimeOsType: "Windows", Name: s.id, Owner: s.document.Owner, State: s.state,
	}
}

// enumerate lists the systems that a query selects.
func enumerate(query string) (string, error) {
	var q schema.SystemQuery
	if schema.Unmarshal([]byte(query), &q) != nil {
		return "", hcs.CodeInvalidJSON
	}
	world.Lock()
	defer world.Unlock()
	list := []schema.Properties{}
	for _, s := range world.systems {
		if within(q.Ids, s.id) && within(q.Owners, s.document.Owner) && within(q.Types, schema.TypeContainer) {
			list = append(list, s.basicLocked())
		}
	}
	return encode(list), nil
}

func within[T comparable](list []T, v T) bool { return len(list) == 0 || slices.Contains(list, v) }

// guard has the credential instances.
var guard struct {
	sync.Mutex
	instances []schema.ContainerCredentialGuardInstance
}

func serviceProperties(query string) (string, error) {
	var q schema.PropertyQuery
	if schema.Unmarshal([]byte(query), &q) != nil {
		return "", hcs.CodeInvalidJSON
	}
	var p schema.ServiceProperties
	for _, t := range q.PropertyTypes {
		switch t {
		case schema.ServiceBasic:
			p.Properties = append(p.Properties, json.RawMessage(encode(schema.BasicInformation{SupportedSchemaVersions: []schema.Version{schema.Level}})))
		case schema.ServiceCredentialGuard:
			guard.Lock()
			p.Properties = append(p.Properties, json.RawMessage(encode(schema.ContainerCredentialGuardSystemInfo{Instances: guard.instances})))
			guard.Unlock()
		default:
			return "", hcs.CodeWin32NotSupported
		}
	}
	return encode(p), nil
}

func modifyService(document string) (string, error) {
	var (
		r schema.ModificationRequest
		o schema.ContainerCredentialGuardOperationRequest
		d schema.ContainerCredentialGuardInstanceRequest
	)
	if schema.Unmarshal([]byte(document), &r) != nil || schema.Unmarshal(r.Settings, &o) != nil || schema.Unmarshal(o.OperationDetails, &d) != nil {
		return "", hcs.CodeInvalidJSON
	}
	guard.Lock()
	defer guard.Unlock()
	at := slices.IndexFunc(guard.instances, func(i schema.ContainerCredentialGuardInstance) bool { return i.Id == d.Id })
	switch {
	case o.Operation == schema.AddInstance && at < 0:
		guard.instances = append(guard.instances, schema.ContainerCredentialGuardInstance{
			Id: d.Id, CredentialGuard: &schema.ContainerCredentialGuardState{Cookie: "cookie", RpcEndpoint: "endpoint", Transport: d.Transport, CredentialSpec: d.CredentialSpec},
		})
	case o.Operation == schema.AddInstance:
		return "", hcs.CodeWin32AlreadyExists
	case at < 0:
		return "", hcs.CodeWin32ElementNotFound
	default:
		guard.instances = slices.Delete(guard.instances, at, at+1)
	}
	return "", nil
}
