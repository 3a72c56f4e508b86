package stats

import (
	"encoding/json"
	"time"
)

// The JSON forms. A figure that is missing has no key, and a key keeps its name and unit for good.
type (
	sampleJSON struct {
		Timestamp  time.Time                 `json:"timestamp"`
		Owner      string                    `json:"owner,omitempty"`
		Started    *time.Time                `json:"started,omitempty"`
		UptimeNS   *int64                    `json:"uptime_ns,omitempty"`
		Processor  *processorJSON            `json:"processor,omitempty"`
		Memory     *memoryJSON               `json:"memory,omitempty"`
		Storage    *storageJSON              `json:"storage,omitempty"`
		Processes  *populationJSON           `json:"processes,omitempty"`
		Limits     *Limits                   `json:"limits,omitempty"`
		Violations *Violations               `json:"violations,omitempty"`
		Fallbacks  uint64                    `json:"fallbacks"`
		Figures    map[Figure]provenanceJSON `json:"figures"`
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
	populationJSON struct {
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

// MarshalJSON gives the sample in snake_case with the unit in every name.
func (s Sample) MarshalJSON() ([]byte, error) {
	out := sampleJSON{
		Timestamp: s.Timestamp, Owner: s.Owner, Fallbacks: s.Fallbacks,
		Memory: s.memoryJSON(), Figures: make(map[Figure]provenanceJSON, figureCount),
	}
	if s.Has(FigureStarted) {
		uptime := int64(s.Uptime)
		out.Started, out.UptimeNS = &s.Started, &uptime
	}
	if p := s.Processor; s.Has(FigureProcessor) {
		out.Processor = &processorJSON{TotalNS: int64(p.Total()), UserNS: int64(p.User), KernelNS: int64(p.Kernel)}
	}
	if s.Has(FigureStorage) {
		out.Storage = (*storageJSON)(&s.Storage)
	}
	if s.Has(FigureProcesses) {
		out.Processes = (*populationJSON)(&s.Processes)
	}
	if s.Has(FigureLimits) {
		out.Limits = &s.Limits
	}
	if s.Has(FigureViolations) {
		out.Violations = &s.Violations
	}
	for f, p := range s.Figures {
		reason := ""
		if p.Err != nil {
			reason = p.Err.Error()
		}
		out.Figures[Figure(f)] = provenanceJSON{Source: p.Source, Quality: p.Quality, Error: reason}
	}
	return json.Marshal(out)
}

func (s *Sample) memoryJSON() *memoryJSON {
	var m memoryJSON
	if s.Has(FigureMemory) {
		m.Commit, m.PeakCommit = &s.Memory.Commit, &s.Memory.PeakCommit
	}
	if s.Has(FigurePrivateWorkingSet) {
		m.PrivateWorkingSet = &s.Memory.PrivateWorkingSet
	}
	if s.Has(FigureWorkingSet) {
		m.WorkingSet = &s.Memory.WorkingSet
	}
	if s.Has(FigureProcesses) {
		m.PageFaults = &s.Memory.PageFaults
	}
	if m == (memoryJSON{}) {
		return nil
	}
	return &m
}
