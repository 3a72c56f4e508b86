package main

import "github.com/siloshim/siloshim/jobobject"

// counting is a kernel that counts its calls.
type counting struct {
	jobobject.Kernel
	calls int
}

func (c *counting) OpenJob(name string, access jobobject.Access) (jobobject.Handle, error) {
	c.calls++
	return c.Kernel.OpenJob(name, access)
}

func (c *counting) Silo(job jobobject.Handle) (jobobject.Silo, error) {
	c.calls++
	return c.Kernel.Silo(job)
}

func (c *counting) MemoryUsage(job jobobject.Handle) (jobobject.MemoryUsage, error) {
	c.calls++
	return c.Kernel.MemoryUsage(job)
}

func (c *counting) Accounting(job jobobject.Handle) (jobobject.Accounting, error) {
	c.calls++
	return c.Kernel.Accounting(job)
}

func (c *counting) IOAttribution(job jobobject.Handle) (jobobject.IOAttribution, error) {
	c.calls++
	return c.Kernel.IOAttribution(job)
}

func (c *counting) ProcessIDs(job jobobject.Handle, pids []uint32) (int, int, error) {
	c.calls++
	return c.Kernel.ProcessIDs(job, pids)
}

func (c *counting) OpenProcess(pid uint32, access jobobject.ProcessAccess) (jobobject.Handle, error) {
	c.calls++
	return c.Kernel.OpenProcess(pid, access)
}

func (c *counting) IsProcessInJob(process, job jobobject.Handle) (bool, error) {
	c.calls++
	return c.Kernel.IsProcessInJob(process, job)
}

func (c *counting) ProcessMemory(process jobobject.Handle) (jobobject.ProcessMemory, error) {
	c.calls++
	return c.Kernel.ProcessMemory(process)
}

func (c *counting) ExitCode(process jobobject.Handle) (uint32, bool, error) {
	c.calls++
	return c.Kernel.ExitCode(process)
}

func (c *counting) CloseHandle(h jobobject.Handle) error {
	c.calls++
	return c.Kernel.CloseHandle(h)
}

func (c *counting) SystemProcesses(list []jobobject.SystemProcess) ([]jobobject.SystemProcess, error) {
	c.calls++
	return c.Kernel.SystemProcesses(list)
}
