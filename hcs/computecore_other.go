//go:build !windows

package hcs

func (computeCore) CreateOperation() (OperationHandle, error)     { return 0, CodeWin32NotSupported }
func (computeCore) CancelOperation(OperationHandle) error         { return CodeWin32NotSupported }
func (computeCore) CloseOperation(OperationHandle)                {}
func (computeCore) WaitOperation(OperationHandle) (string, error) { return "", CodeWin32NotSupported }
func (computeCore) WaitProcessOperation(OperationHandle) (ProcessInformation, error) {
	return ProcessInformation{}, CodeWin32NotSupported
}
func (computeCore) EnumerateSystems(OperationHandle, string) error { return CodeWin32NotSupported }
func (computeCore) CreateSystem(OperationHandle, string, string) (SystemHandle, error) {
	return 0, CodeWin32NotSupported
}
func (computeCore) OpenSystem(string, uint32) (SystemHandle, error) { return 0, CodeWin32NotSupported }
func (computeCore) CloseSystem(SystemHandle)                        {}
func (computeCore) CallSystem(OperationHandle, SystemHandle, SystemCall, string) error {
	return CodeWin32NotSupported
}
func (computeCore) SetSystemCallback(SystemHandle, func(Notification)) error {
	return CodeWin32NotSupported
}
func (computeCore) CreateProcess(OperationHandle, SystemHandle, string) (ProcessHandle, error) {
	return 0, CodeWin32NotSupported
}
func (computeCore) OpenProcess(SystemHandle, uint32, uint32) (ProcessHandle, error) {
	return 0, CodeWin32NotSupported
}
func (computeCore) CloseProcess(ProcessHandle) {}
func (computeCore) CallProcess(OperationHandle, ProcessHandle, ProcessCall, string) error {
	return CodeWin32NotSupported
}
func (computeCore) SetProcessCallback(ProcessHandle, func(Notification)) error {
	return CodeWin32NotSupported
}
func (computeCore) ServiceProperties(string) (string, error)     { return "", CodeWin32NotSupported }
func (computeCore) ModifyServiceSettings(string) (string, error) { return "", CodeWin32NotSupported }
