package stats

// served are the figures that the Host Compute Service has too.
var served = [...]Metric{MetricMemory, MetricProcessor, MetricStorage, MetricPrivateWorkingSet}

// merge is the service's answer with everything in it that this process knows itself.
func merge(mine, theirs Properties) Properties {
	out := theirs
	out.ID = first(mine.ID, theirs.ID)
	out.SystemType = first(mine.SystemType, theirs.SystemType)
	out.RuntimeOSType = first(mine.RuntimeOSType, theirs.RuntimeOSType)
	out.Owner = first(mine.Owner, theirs.Owner)
	if mine.ProcessList != nil {
		out.ProcessList = mine.ProcessList
	}
	if mine.Statistics == nil {
		return out
	}
	s := *mine.Statistics
	if theirs.Statistics != nil {
		s.fill(theirs.Statistics)
	}
	s.Owner = out.Owner
	out.Statistics = &s
	return out
}

// fill takes the figures that s lacks from the service's sample.
func (s *Sample) fill(from *Sample) {
	for _, f := range served {
		if s.Has(f) || !from.Has(f) {
			continue
		}
		switch f {
		case MetricMemory:
			s.Memory.Commit, s.Memory.PeakCommit = from.Memory.Commit, from.Memory.PeakCommit
		case MetricProcessor:
			s.Processor = from.Processor
		case MetricStorage:
			s.Storage = from.Storage
		case MetricPrivateWorkingSet:
			s.Memory.PrivateWorkingSet = from.Memory.PrivateWorkingSet
		default: // not among those that are served
		}
		s.setOrigin(f, SourceService, from.Metrics[f].Quality, s.Metrics[f].Err)
	}
	// The service knows when it started the container; a guess from its processes gives way.
	if from.Has(MetricStarted) && s.Metrics[MetricStarted].Quality != Exact {
		s.Started = from.Started
		s.Uptime = max(0, s.Timestamp.Sub(from.Started))
		s.setOrigin(MetricStarted, SourceService, from.Metrics[MetricStarted].Quality, nil)
	}
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
