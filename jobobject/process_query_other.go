//go:build !windows

package jobobject

func (system) ProcessMemory(Handle) (ProcessMemory, error) { return ProcessMemory{}, ErrNotSupported }
func (system) ProcessTimes(Handle) (ProcessTimes, error)   { return ProcessTimes{}, ErrNotSupported }
func (system) ProcessImage(Handle) (string, error)         { return "", ErrNotSupported }
func (system) ProcessParent(Handle) (uint32, error)        { return 0, ErrNotSupported }
func (system) ProcessHandles(Handle) (uint32, error)       { return 0, ErrNotSupported }
func (system) SystemProcesses(list []SystemProcess) ([]SystemProcess, error) {
	return list, ErrNotSupported
}
