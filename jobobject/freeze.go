package jobobject

// Freeze stops all threads of all members, and of processes that become members
// later, until [Job.Thaw]. A frozen job can be terminated. Pair each Freeze with one
// Thaw: what a second one does is for the kernel to decide. Kernels without the
// facility say [ErrNotSupported].
//
// The information class behind it, 18, is in no Microsoft document.
func (j *Job) Freeze() error {
	return j.handle.do("freeze job", func(k Kernel, h Handle) error { return k.Freeze(h, true) })
}

// Thaw undoes a [Job.Freeze].
func (j *Job) Thaw() error {
	return j.handle.do("thaw job", func(k Kernel, h Handle) error { return k.Freeze(h, false) })
}
