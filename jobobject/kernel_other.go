//go:build !windows

package jobobject

func (system) CreateJob(string, string) (Handle, error)      { return 0, ErrNotSupported }
func (system) OpenJob(string, Access) (Handle, error)        { return 0, ErrNotSupported }
func (system) CloseHandle(Handle) error                      { return ErrNotSupported }
func (system) AssignProcess(_, _ Handle) error               { return ErrNotSupported }
func (system) TerminateJob(Handle, uint32) error             { return ErrNotSupported }
func (system) IsProcessInJob(_, _ Handle) (bool, error)      { return false, ErrNotSupported }
func (system) ProcessIDs(Handle, []uint32) (int, int, error) { return 0, 0, ErrNotSupported }
func (system) Accounting(Handle) (Accounting, error)         { return Accounting{}, ErrNotSupported }
func (system) MemoryUsage(Handle) (MemoryUsage, error)       { return MemoryUsage{}, ErrNotSupported }
func (system) IOAttribution(Handle) (IOAttribution, error)   { return IOAttribution{}, ErrNotSupported }
func (system) EnableIOAttribution(Handle) error              { return ErrNotSupported }
func (system) SetExtendedLimits(Handle, *Limits) error       { return ErrNotSupported }
func (system) SetCPURate(Handle, uint32, uint32) error       { return ErrNotSupported }
func (system) SetAffinity(Handle, []GroupAffinity) error     { return ErrNotSupported }
func (system) CreatePort() (Handle, error)                   { return 0, ErrNotSupported }
func (system) AssociatePort(_, _ Handle, _ uintptr) error    { return ErrNotSupported }
func (system) WaitPort(Handle) (uint32, uintptr, uint32, error) {
	return 0, 0, 0, ErrNotSupported
}
func (system) PostPort(Handle, uint32, uintptr) error { return ErrNotSupported }
func (system) CreateProcess(Handle, *ProcessOptions) (Handle, uint32, error) {
	return 0, 0, ErrNotSupported
}
func (system) OpenProcess(uint32, ProcessAccess) (Handle, error) { return 0, ErrNotSupported }
func (system) TerminateProcess(Handle, uint32) error             { return ErrNotSupported }
func (system) SignalProcess(Handle, uint32) error                { return ErrNotSupported }
func (system) ExitCode(Handle) (uint32, bool, error)             { return 0, false, ErrNotSupported }
func (system) WatchExit(Handle) (<-chan struct{}, func(), error) {
	return nil, nil, ErrNotSupported
}
func (system) PrivateWorkingSet(Handle) (uint64, error) { return 0, ErrNotSupported }
