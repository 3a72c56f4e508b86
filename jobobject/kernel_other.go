//go:build !windows

package jobobject

import (
	"io"
)

func (system) CreateJob(string, string) (Handle, error)      { return 0, ErrNotSupported }
func (system) OpenJob(string, Access) (Handle, error)        { return 0, ErrNotSupported }
func (system) CloseHandle(Handle) error                      { return ErrNotSupported }
func (system) AssignProcess(_, _ Handle) error               { return ErrNotSupported }
func (system) TerminateJob(Handle, uint32) error             { return ErrNotSupported }
func (system) IsProcessInJob(_, _ Handle) (bool, error)      { return false, ErrNotSupported }
func (system) ProcessIDs(Handle, []uint32) (int, int, error) { return 0, 0, ErrNotSupported }
func (system) Accounting(Handle) (Accounting, error)         { return Accounting{}, ErrNotSupported }
func (system) IOCounters(Handle) (IOCounters, error)         { return IOCounters{}, ErrNotSupported }
func (system) MemoryUsage(Handle) (MemoryUsage, error)       { return MemoryUsage{}, ErrNotSupported }
func (system) IOAttribution(Handle) (IOAttribution, error)   { return IOAttribution{}, ErrNotSupported }
func (system) EnableIOAttribution(Handle) error              { return ErrNotSupported }
func (system) SetLimits(Handle, LimitPart, *Limits, bool) error {
	return ErrNotSupported
}
func (system) QueryLimits(Handle, LimitPart, *Limits) error            { return ErrNotSupported }
func (system) SetNotificationLimits(Handle, *NotificationLimits) error { return ErrNotSupported }
func (system) NotificationLimits(Handle) (NotificationLimits, error) {
	return NotificationLimits{}, ErrNotSupported
}
func (system) LimitViolation(Handle) (Violation, error)   { return Violation{}, ErrNotSupported }
func (system) Freeze(Handle, bool) error                  { return ErrNotSupported }
func (system) CreateSilo(Handle) error                    { return ErrNotSupported }
func (system) Silo(Handle) (Silo, error)                  { return Silo{}, ErrNotSupported }
func (system) ServerSilo(Handle) (ServerSilo, error)      { return ServerSilo{}, ErrNotSupported }
func (system) Bind(Handle, *Mapping) error                { return ErrNotSupported }
func (system) Unbind(Handle, string) error                { return ErrNotSupported }
func (system) CreatePort() (Handle, error)                { return 0, ErrNotSupported }
func (system) AssociatePort(_, _ Handle, _ uintptr) error { return ErrNotSupported }
func (system) WaitPort(Handle) (uint32, uintptr, uintptr, error) {
	return 0, 0, 0, ErrNotSupported
}
func (system) PostPort(Handle, uint32, uintptr) error { return ErrNotSupported }
func (system) CreateProcess(Handle, *ProcessOptions) (Handle, uint32, error) {
	return 0, 0, ErrNotSupported
}
func (system) OpenProcess(uint32, ProcessAccess) (Handle, error) { return 0, ErrNotSupported }
func (system) TerminateProcess(Handle, uint32) error             { return ErrNotSupported }
func (system) SignalProcess(Handle, ConsoleEvent) error          { return ErrNotSupported }
func (system) ExitCode(Handle) (uint32, bool, error)             { return 0, false, ErrNotSupported }
func (system) WatchExit(Handle) (<-chan struct{}, func(), error) {
	return nil, nil, ErrNotSupported
}

func (system) CreateConsole(_, _ uint16) (Handle, io.WriteCloser, io.ReadCloser, error) {
	return 0, nil, nil, ErrNotSupported
}
func (system) ResizeConsole(Handle, uint16, uint16) error { return ErrNotSupported }
func (system) CloseConsole(Handle)                        {}

func (system) ProcessMemory(Handle) (ProcessMemory, error) { return ProcessMemory{}, ErrNotSupported }
func (system) ProcessTimes(Handle) (ProcessTimes, error)   { return ProcessTimes{}, ErrNotSupported }
func (system) ProcessImage(Handle) (string, error)         { return "", ErrNotSupported }
func (system) ProcessParent(Handle) (uint32, error)        { return 0, ErrNotSupported }
func (system) ProcessHandles(Handle) (uint32, error)       { return 0, ErrNotSupported }
func (system) SystemProcesses(list []SystemProcess) ([]SystemProcess, error) {
	return list, ErrNotSupported
}
