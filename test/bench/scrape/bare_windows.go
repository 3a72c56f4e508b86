package main

import "github.com/siloshim/siloshim/jobobject"

// bare is the lower bound: three queries of the job and one of each member on open handles, and nothing else. It
// would not notice a member that starts or exits.
type bare struct {
	kernel  *counting
	job     jobobject.Handle
	members []jobobject.Handle
}

func newBare(k *counting, name string) (*bare, error) {
	job, err := k.OpenJob(name, jobobject.AccessQuery)
	if err != nil {
		return nil, err
	}
	b := &bare{kernel: k, job: job}
	pids, err := list(k, job)
	if err != nil {
		b.close()
		return nil, err
	}
	for _, pid := range pids {
		process, err := k.OpenProcess(pid, jobobject.ProcessQueryLimited)
		if err != nil {
			b.close()
			return nil, err
		}
		b.members = append(b.members, process)
	}
	return b, nil
}

func (b *bare) sample() (sum uint64, err error) {
	if err := queryJob(b.kernel, b.job); err != nil {
		return 0, err
	}
	for _, process := range b.members {
		m, err := b.kernel.ProcessMemory(process)
		if err != nil {
			return 0, err
		}
		sum += m.PrivateWorkingSet
	}
	return sum, nil
}

// close closes every handle. Errors are ignored, because the handles were only queried.
func (b *bare) close() {
	for _, process := range b.members {
		_ = b.kernel.CloseHandle(process)
	}
	_ = b.kernel.CloseHandle(b.job)
}
