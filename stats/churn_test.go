package stats_test

import (
	"math/rand/v2"

	"github.com/siloshim/siloshim/jobobject"
)

// churn is a kernel on which the world goes on between any two calls: before and after each it may let processes be
// created, exit, and hand on their pids.
type churn struct {
	jobobject.Kernel
	random *rand.Rand
	step   func() // one event of the world
	inside bool   // a step is underway, whose own calls are not disturbed
}

// stir lets nothing, one thing or a few happen.
func (c *churn) stir() {
	if c.inside {
		return
	}
	c.inside = true
	for c.random.IntN(3) == 0 {
		c.step()
	}
	c.inside = false
}

func (c *churn) OpenJob(name string, access jobobject.Access) (jobobject.Handle, error) {
	c.stir()
	defer c.stir()
	return c.Kernel.OpenJob(name, access)
}

func (c *churn) ProcessIDs(job jobobject.Handle, pids []uint32) (listed, assigned int, err error) {
	c.stir()
	defer c.stir()
	return c.Kernel.ProcessIDs(job, pids)
}

func (c *churn) OpenProcess(pid uint32, access jobobject.ProcessAccess) (jobobject.Handle, error) {
	c.stir()
	defer c.stir()
	return c.Kernel.OpenProcess(pid, access)
}

func (c *churn) IsProcessInJob(process, job jobobject.Handle) (bool, error) {
	c.stir()
	defer c.stir()
	return c.Kernel.IsProcessInJob(process, job)
}

func (c *churn) Accounting(job jobobject.Handle) (jobobject.Accounting, error) {
	c.stir()
	defer c.stir()
	return c.Kernel.Accounting(job)
}

func (c *churn) ProcessMemory(process jobobject.Handle) (jobobject.ProcessMemory, error) {
	c.stir()
	defer c.stir()
	return c.Kernel.ProcessMemory(process)
}

func (c *churn) ProcessTimes(process jobobject.Handle) (jobobject.ProcessTimes, error) {
	c.stir()
	defer c.stir()
	return c.Kernel.ProcessTimes(process)
}

func (c *churn) ExitCode(process jobobject.Handle) (uint32, bool, error) {
	c.stir()
	defer c.stir()
	return c.Kernel.ExitCode(process)
}

func (c *churn) CloseHandle(h jobobject.Handle) error {
	c.stir()
	defer c.stir()
	return c.Kernel.CloseHandle(h)
}

func (c *churn) SystemProcesses(list []jobobject.SystemProcess) ([]jobobject.SystemProcess, error) {
	c.stir()
	defer c.stir()
	return c.Kernel.SystemProcesses(list)
}
