package jobtest

import (
	"maps"
	"slices"
	"time"

	"github.com/siloshim/siloshim/jobobject"
)

// Epoch is what the clock of a new kernel shows.
var Epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// DefaultProcessors is how many processors a new kernel has.
const DefaultProcessors = 4

// Now is the time on the kernel's clock, which stands still but for [Kernel.Advance].
func (k *Kernel) Now() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.now
}

// Processors sets the number of processors, of which processor rates are a part.
func (k *Kernel) Processors(n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.cpus = n
}

// Advance lets d pass at once: busy processes use their processor time, as far
// as the rates of their jobs allow, memory grows or shrinks, and limits that are
// reached act. Frozen processes do nothing. Steps that are short against the
// limits make it exact.
func (k *Kernel) Advance(d time.Duration) {
	k.mu.Lock()
	k.now = k.now.Add(d)
	var victims []victim
	running := k.runningLocked()
	for p, part := range k.shareLocked(running, d) {
		p.usage.user += time.Duration(p.busyUser * part * float64(d))
		p.usage.kernel += time.Duration(p.busyKernel * part * float64(d))
	}
	for _, p := range running {
		p.driftLocked(d)
		victims = append(victims, p.enforceLocked()...)
	}
	k.mu.Unlock()
	k.killAll(victims)
}

// runningLocked lists the processes that the processors may run, by pid.
func (k *Kernel) runningLocked() []*Proc {
	var running []*Proc
	for _, pid := range slices.Sorted(maps.Keys(k.procs)) {
		if p := k.procs[pid]; !p.ending && !p.frozenLocked() {
			running = append(running, p)
		}
	}
	return running
}

// shareLocked tells which part of what it wants each process gets in d. The cap
// of a nested job is a part of the cap around it.
func (k *Kernel) shareLocked(running []*Proc, d time.Duration) map[*Proc]float64 {
	share := make(map[*Proc]float64, len(running))
	var jobs []*job // each before those around it
	for _, p := range running {
		share[p] = 1
		p.job.chain(func(j *job) {
			if !slices.Contains(jobs, j) {
				jobs = append(jobs, j)
			}
		})
	}
	slices.SortStableFunc(jobs, func(a, b *job) int { return b.depth() - a.depth() })
	for _, j := range jobs {
		limit := j.capLocked(k.cpus)
		want := 0.0
		for _, p := range j.members {
			want += (p.busyUser + p.busyKernel) * share[p]
		}
		over := want > limit
		j.checkRateLocked(over, d)
		if over {
			for _, p := range j.members {
				share[p] *= limit / want
			}
		}
	}
	return share
}

func (j *job) depth() (n int) {
	j.chain(func(*job) { n++ })
	return n
}

// capLocked is the number of processors that j may use.
func (j *job) capLocked(processors int) float64 {
	if j == nil {
		return float64(processors)
	}
	rate := max(j.limits.CPURate, j.limits.CPUMaxRate)
	if rate == 0 {
		rate = jobobject.AllProcessors
	}
	return j.parent.capLocked(processors) * float64(rate) / jobobject.AllProcessors
}
