package jobtest

import "github.com/siloshim/siloshim/jobobject"

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
