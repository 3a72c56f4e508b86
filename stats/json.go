package stats

import (
	"encoding/json"
	"time"
)

// The JSON forms. A metric that is missing has no key. A key keeps its name and unit for good: other programs read it.
type (
	sampleJSON struct {
		Timestamp  time.Time                 `json:"timestamp"`
		Owner      string                    `json:"owner,omitempty"`
		Started    *time.Time                `json:"started,omitempty"`
		UptimeNS   *int64                    `json:"uptime_ns,omitempty"`
		Processor  *processorJSON            `json:"processor,omitempty"`
		Memory     *memoryJSON               `json:"memory,omitempty"`
		Storage    *storageJSON              `json:"storage,omitempty"`
		Processes  *processCountsJSON        `json:"processes,omitempty"`
		Limits     *Limits                   `json:"limits,omitempty"`
		Violations *Violations               `json:"violations,omitempty"`
		Fallbacks  uint64                    `json:"fallbacks"`
		Metrics    map[Metric]provenanceJSON `json:"metrics"`
	}
	processorJSON struct {
		TotalNS  int64 `json:"total_ns"`
		UserNS   int64 `json:"user_ns"`
		KernelNS int64 `json:"kernel_ns"`
	}
	memoryJSON struct {
		Commit            *uint64 `json:"commit_bytes,omitempty"`
		PeakCommit        *uint64 `json:"peak_commit_bytes,omitempty"`
		PrivateWorkingSet *uint64 `json:"private_working_set_bytes,omitempty"`
		WorkingSet        *uint64 `json:"working_set_bytes,omitempty"`
		PageFaults        *uint32 `json:"page_faults,omitempty"`
	}
	storageJSON struct {
		Reads      uint64 `json:"reads"`
		ReadBytes  uint64 `json:"read_bytes"`
		Writes     uint64 `json:"writes"`
		WriteBytes uint64 `json:"write_bytes"`
	}
	processCountsJSON struct {
		Active     uint32 `json:"active"`
		Total      uint32 `json:"total"`
		Terminated uint32 `json:"terminated"`
		Unreadable uint32 `json:"unreadable"`
	}
	provenanceJSON struct {
		Source  Source  `json:"source"`
		Quality Quality `json:"quality"`
		Error   string  `json:"error,omitempty"`
	}
)

// MarshalJSON returns the sample with keys in snake_case that name the unit. A missing metric has no key; the key metrics
// has the origin of each metric.
func (s Sample) MarshalJSON() ([]byte, error) {
	out := sampleJSON{
		Timestamp: s.Timestamp, Owner: s.Owner, Fallbacks: s.Fallbacks,
		Memory: s.memoryJSON(), Metrics: make(map[Metric]provenanceJSON, metricCount),
	}
	if s.Has(MetricStarted) {
		uptime := int64(s.Uptime)
		out.Started, out.UptimeNS = &s.Started, &uptime
	}
	if p := s.Processor; s.Has(MetricProcessor) {
		out.Processor = &processorJSON{TotalNS: int64(p.Total()), UserNS: int64(p.User), KernelNS: int64(p.Kernel)}
	}
	if s.Has(MetricStorage) {
		out.Storage = (*storageJSON)(&s.Storage)
	}
	if s.Has(MetricProcesses) {
		out.Processes = (*processCountsJSON)(&s.Processes)
	}
	if s.Has(MetricLimits) {
		out.Limits = &s.Limits
	}
	if s.Has(MetricViolations) {
		out.Violations = &s.Violations
	}
	for f, p := range s.Metrics {
		reason := ""
		if p.Err != nil {
			reason = p.Err.Error()
		}
		out.Metrics[Metric(f)] = provenanceJSON{Source: p.Source, Quality: p.Quality, Error: reason}
	}
	return json.Marshal(out)
}

func (s *Sample) memoryJSON() *memoryJSON {
	var m memoryJSON
	if s.Has(MetricMemory) {
		m.Commit, m.PeakCommit = &s.Memory.Commit, &s.Memory.PeakCommit
	}
	if s.Has(MetricPrivateWorkingSet) {
		m.PrivateWorkingSet = &s.Memory.PrivateWorkingSet
	}
	if s.Has(MetricWorkingSet) {
		m.WorkingSet = &s.Memory.WorkingSet
	}
	if s.Has(MetricProcesses) {
		m.PageFaults = &s.Memory.PageFaults
	}
	if m == (memoryJSON{}) {
		return nil
	}
	return &m
}
