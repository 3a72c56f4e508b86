package jobtest

import "github.com/siloshim/siloshim/jobobject"

// Enclose puts the process that uses the kernel, [Self], into the job with this
// name, as a service manager does with what it starts. Self is no member that the
// job would list or end. It reports whether there is such a job.
func (k *Kernel) Enclose(name string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.own = k.named[nameKey(name)]
	return k.own != nil
}

// birthplaceLocked is the job that a child of Self is born into, before it joins
// the one that it was started in.
func (k *Kernel) birthplaceLocked(breakAway bool) *job {
	// The flag is for jobs that let out who asks, and is left out elsewhere.
	asked := breakAway && k.own != nil && k.own.limits.Breakaway == jobobject.BreakawayOnRequest
	born, err := k.own.heirLocked(asked)
	if err != nil {
		return k.own
	}
	return born
}

// heirLocked is the job that a child of a member of j is born into. One that asks
// to break away is refused where the job of its parent does not allow it.
func (j *job) heirLocked(asked bool) (*job, error) {
	may := func(x *job) bool {
		b := x.limits.Breakaway
		return b == jobobject.BreakawayAlways || asked && b == jobobject.BreakawayOnRequest
	}
	if asked && j != nil && !may(j) {
		return nil, jobobject.ErrPermission
	}
	for j != nil && may(j) {
		j = j.parent
	}
	return j, nil
}
