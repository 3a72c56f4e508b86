package jobtest

import (
	"time"

	"github.com/siloshim/siloshim/jobobject"
)

// QuotaExit is the exit code of a process that a limit has ended:
// ERROR_NOT_ENOUGH_QUOTA.
const QuotaExit uint32 = 1816

// victim is a process to be ended with code.
type victim struct {
	proc *Proc
	code uint32
}

func (k *Kernel) killAll(victims []victim) {
	for _, v := range victims {
		k.kill([]*Proc{v.proc}, v.code)
	}
}

// enforceLocked enforces the limits of time and the thresholds of the jobs of p. It
// returns the processes that must end.
func (p *Proc) enforceLocked() (victims []victim) {
	p.job.chain(func(j *job) {
		j.checkThresholdsLocked(p.pid)
		if l := j.limits.ProcessUserTime; l != 0 && p.usage.user >= l && !p.ending {
			j.refused++
			j.postLocked(jobobject.EndOfProcessTime, p.pid)
			victims = append(victims, victim{p, QuotaExit})
		}
		victims = append(victims, j.enforceTimeLocked()...)
	})
	return victims
}

// enforceTimeLocked does what is to be done at the end of the job's time.
func (j *job) enforceTimeLocked() (victims []victim) {
	if j.limits.JobUserTime == 0 || j.usedLocked().user-j.timeBase < j.limits.JobUserTime {
		return nil
	}
	if j.limits.AtJobTime == jobobject.JobTimeNotify && j.port != nil {
		j.postLocked(jobobject.EndOfJobTime, 0)
		j.limits.JobUserTime = 0
		return nil
	}
	for _, m := range j.members {
		if !m.ending {
			j.refused++
			victims = append(victims, victim{m, QuotaExit})
		}
	}
	return victims
}

// commitTo sets the committed memory of p where no limit forbids it, and says so
// to the jobs whose limit does.
func (p *Proc) commitToLocked(n uint64) bool {
	allowed := true
	p.job.chain(func(j *job) {
		if l := j.limits.ProcessMemory; l != 0 && n > l && n > p.commit {
			j.postLocked(jobobject.ProcessMemoryLimit, p.pid)
			allowed = false
		}
		if l := j.limits.JobMemory; l != 0 && n > p.commit && j.commitLocked()-p.commit+n > l {
			j.postLocked(jobobject.JobMemoryLimit, p.pid)
			allowed = false
		}
	})
	if allowed {
		p.commit = n
		p.job.chain((*job).updatePeakLocked)
	}
	return allowed
}

// workTo sets the private resident memory of p, trimmed to what its jobs allow.
func (p *Proc) workToLocked(n uint64) {
	p.job.chain(func(j *job) {
		if l := j.limits.MaxWorkingSet; l != 0 {
			n = min(n, l)
		}
	})
	p.working = n
}

// driftLocked moves the memory of p by what it drifts in d.
func (p *Proc) driftLocked(d time.Duration) {
	if p.driftCommit != 0 {
		p.commitToLocked(moved(p.commit, p.driftCommit, d))
	}
	if p.driftWorking != 0 {
		p.workToLocked(moved(p.working, p.driftWorking, d))
	}
}

func moved(from uint64, perSecond int64, d time.Duration) uint64 {
	return uint64(max(0, int64(from)+int64(float64(perSecond)*d.Seconds())))
}
