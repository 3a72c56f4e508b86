package hcstest

import (
	"github.com/siloshim/siloshim/jobobject"
)

// MakeJobs gives each system that is created from now on a job in kernel, named
// \Container_<id>. The job has the limits that the document asks for, and ends
// its members with its last handle, as the service's own silos do.
func (s *Service) MakeJobs(kernel jobobject.Kernel) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kernel = kernel
}

// makeJobLocked makes the job of sys and sets its limits.
func (s *Service) makeJobLocked(sys *system) error {
	if s.kernel == nil {
		return nil
	}
	job, err := s.kernel.CreateJob(`\Container_`+sys.id, jobobject.DefaultSecurityDescriptor)
	if err != nil {
		return err
	}
	sys.kernel, sys.job = s.kernel, job
	if err = sys.limitJobLocked(); err != nil {
		sys.closeJobLocked()
	}
	return err
}

// limitJobLocked sets the limits of the document on the job.
func (sys *system) limitJobLocked() error {
	if sys.kernel == nil {
		return nil
	}
	l := jobobject.Limits{KillOnClose: true}
	if m := sys.document.Container.Memory; m != nil {
		l.JobMemory = m.SizeInMB << 20
	}
	if p := sys.document.Container.Processor; p != nil {
		l.CPURate, l.CPUWeight = uint32(p.Maximum), jobobject.WeightOfShares(uint32(p.Weight))
	}
	if err := sys.kernel.SetLimits(sys.job, jobobject.ExtendedLimits, &l, false); err != nil {
		return err
	}
	return sys.kernel.SetLimits(sys.job, jobobject.CPULimits, &l, false)
}

// closeJobLocked gives up the job of an ended system.
func (sys *system) closeJobLocked() {
	if sys.kernel == nil {
		return
	}
	_ = sys.kernel.CloseHandle(sys.job) // this handle is closed once
	sys.kernel = nil
}
